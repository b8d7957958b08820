"""A route's first release: nothing serves yet, so clients are refused, and copies of what they asked try it."""

from releases.bucketing import Arm
from tests.releases.gateway.scene import Scene


def test_what_is_refused_for_want_of_a_release_is_asked_of_the_shadow(scene: Scene) -> None:
    refused = scene.chat("cold-shadowed")
    assert (refused.status, refused.error["code"]) == (503, "no_release")
    row = scene.row(refused, Arm.SHADOW)
    assert (row["status"], row["model"], row["rollout"]) == (200, "other", "rol_1")


def test_a_request_for_embeddings_is_not(scene: Scene) -> None:
    asked = scene.ask("/v1/embeddings", {"model": "any", "input": "x"}, x_relcontrol_route="cold-shadowed")
    assert asked.status == 503
    after = scene.chat("cold-shadowed")
    scene.row(after, Arm.SHADOW)
    assert all(row["request_id"] != asked.headers["x-request-id"] for row in scene.edge.rows)
