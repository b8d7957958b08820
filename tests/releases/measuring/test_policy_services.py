"""Making, changing and removing rollout policies, by service and by API."""

from typing import Any

import pytest

from audit.models import Receipt
from relcontrol.accounts.models import Person
from relcontrol.errors import Conflict, Invalid
from releases.measuring.policy_definition import Definition, pinned_policies
from releases.measuring.policy_presets import PRESETS
from releases.measuring.policy_rules import checked_policy, known_metric
from releases.measuring.policy_services import change_policy, create_policy
from releases.rollout_models import RoutePolicy
from tests.factories import Api, api, person, person_token, route
from tests.releases.scene import Scene

NEW = {"name": "Slow start", "metric": "ttft_p95_ms", "maximum": 900, "window_seconds": 300, "action": "rollback"}
DEFINITION = Definition("Toxic", "score:toxicity", 0.05, None, 600, 30, "pause_for_review")


def _admin(scene: Scene) -> Api:
    return api(person_token(scene.organization, person(scene.organization, "admin")))


def _admin_again(scene: Scene) -> Api:
    return api(person_token(scene.organization, Person.objects.get(email__startswith="admin")))


def _made(scene: Scene, **changes: Any) -> dict[str, Any]:
    answer = _admin(scene).post("rollout-policies", NEW | changes)
    assert answer.status_code == 201, answer.content
    made: dict[str, Any] = answer.json()
    return made


def test_a_policy_is_made_with_its_receipt(northgate: Scene) -> None:
    made = _made(northgate)
    assert (made["maximum"], made["minimum"], made["n_min"], made["revision"]) == (900.0, None, 30, 1)
    receipt = Receipt.objects.filter(organization=northgate.organization).latest("seq")
    assert (receipt.event, receipt.outcome, receipt.subject) == (
        "policy.changed", "created", "rollout-policy:Slow start",
    )  # fmt: skip


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_every_preset_makes_a_policy(northgate: Scene, preset: str) -> None:
    answer = _admin(northgate).post("rollout-policies", {"preset": preset})
    assert answer.status_code == 201, answer.content
    assert answer.json()["metric"] == PRESETS[preset].metric


def test_what_is_sent_takes_the_place_of_the_presets(northgate: Scene) -> None:
    answer = _admin(northgate).post("rollout-policies", {"preset": "groundedness", "maximum": 0.99, "name": "Mine"})
    made = answer.json()
    assert (made["name"], made["maximum"], made["minimum"], made["window_seconds"]) == ("Mine", 0.99, None, 900)


def test_a_limit_that_is_changed_takes_the_place_of_the_other(northgate: Scene) -> None:
    made = _made(northgate)
    answer = _admin_again(northgate).patch(f"rollout-policies/{made['policy_id']}", {"minimum": 5})
    changed = answer.json()
    assert (changed["maximum"], changed["minimum"], changed["revision"]) == (None, 5.0, 2)


def test_a_policy_that_somebody_has_changed_since_is_not_changed(northgate: Scene) -> None:
    row = create_policy(actor=northgate.actor, application=northgate.application, definition=DEFINITION)
    change_policy(actor=northgate.actor, target=row, expected_revision=1, n_min=40)
    with pytest.raises(Conflict, match="revision 2, not 1"):
        change_policy(actor=northgate.actor, target=row, expected_revision=1, n_min=50)


def test_a_change_that_changes_nothing_writes_nothing(northgate: Scene) -> None:
    row = create_policy(actor=northgate.actor, application=northgate.application, definition=DEFINITION)
    before = northgate.written()
    assert change_policy(actor=northgate.actor, target=row, n_min=30).revision == 1
    assert northgate.written() == before


def test_two_policies_of_an_application_have_two_names(northgate: Scene) -> None:
    _made(northgate)
    answer = _admin_again(northgate).post("rollout-policies", NEW)
    assert (answer.status_code, answer.json()["code"]) == (409, "exists_already")


def test_a_removed_policy_is_gone_and_its_receipt_stays(northgate: Scene) -> None:
    made = _made(northgate)
    client = _admin_again(northgate).client
    assert client.delete(f"/v1/rollout-policies/{made['policy_id']}").status_code == 204
    assert not RoutePolicy.objects.exists()
    assert Receipt.objects.latest("seq").outcome == "removed"


def test_a_rollout_pins_the_policies_of_its_route_and_of_its_application(northgate: Scene) -> None:
    own, other = northgate.application.routes.get(), route(northgate.application, domain="medical")
    for name, of in (("A", None), ("B", own), ("C", other)):
        policy = Definition(name, "ttft_p95_ms", 900.0, None, 300, 30, "rollback")
        create_policy(actor=northgate.actor, application=northgate.application, definition=policy, route=of)
    pinned = pinned_policies(own)
    assert [one["name"] for one in pinned] == ["A", "B"]
    assert Definition.from_json(pinned[0]).id == RoutePolicy.objects.get(name="A").pk


def test_anybody_of_the_organization_reads_policies_and_nobody_else(northgate: Scene, eastgate: Scene) -> None:
    made = _made(northgate)
    viewer = api(person_token(northgate.organization, person(northgate.organization, "viewer")))
    assert [one["policy_id"] for one in viewer.get("rollout-policies").json()["results"]] == [made["policy_id"]]
    assert viewer.get(f"rollout-policies/{made['policy_id']}").json() == made
    assert _admin(eastgate).get(f"rollout-policies/{made['policy_id']}").status_code == 404
    assert eastgate.ci.get("rollout-policies").json()["results"] == []


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_another_organizations_administrator_changes_nothing(northgate: Scene, eastgate: Scene, method: str) -> None:
    made = _made(northgate)
    call = getattr(_admin(eastgate).client, method)
    answer = call(f"/v1/rollout-policies/{made['policy_id']}", '{"n_min": 5}', content_type="application/json")
    assert answer.status_code == 404
    assert RoutePolicy.objects.get().n_min == 30


def test_only_an_administrator_makes_changes_and_removes(northgate: Scene) -> None:
    made = _made(northgate)
    manager = api(person_token(northgate.organization, person(northgate.organization, "release-manager")))
    path = f"/v1/rollout-policies/{made['policy_id']}"
    assert manager.post("rollout-policies", NEW | {"name": "Mine"}).status_code == 403
    assert manager.patch(f"rollout-policies/{made['policy_id']}", {"n_min": 1}).status_code == 403
    assert manager.client.delete(path).status_code == 403
    assert northgate.ci.post("rollout-policies", NEW | {"name": "Mine"}).status_code == 403
    assert list(RoutePolicy.objects.values_list("name", "n_min")) == [("Slow start", 30)]


def test_put_is_no_method_here(northgate: Scene) -> None:
    client = _admin(northgate).client
    assert client.put("/v1/rollout-policies", "{}", content_type="application/json").status_code == 405


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"metric": "score:"}, "metric"),
        ({"metric": "latency"}, "metric"),
        ({"minimum": 3}, "maximum"),
        ({"maximum": None}, "maximum"),
        ({"maximum": "900"}, "maximum"),
        ({"maximum": 1e300}, "maximum"),
        ({"metric": "refusal_rate", "maximum": 1.5}, "maximum"),
        ({"window_seconds": 5}, "window_seconds"),
        ({"n_min": 0}, "n_min"),
        ({"action": "explode"}, "action"),
        ({"name": "  "}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"preset": "nonsense"}, "preset"),
        ({"unknown": 1}, "unknown"),
    ],
    ids=str,
)
def test_what_cannot_be_a_policy_is_refused_by_its_field(northgate: Scene, changes: dict[str, Any], field: str) -> None:
    admin, before = _admin(northgate), northgate.written()
    answer = admin.post("rollout-policies", NEW | changes)
    assert answer.status_code == 422, answer.content
    assert field in {one["field"] for one in answer.json()["errors"]}
    assert northgate.written()[0] == before[0]
    assert not RoutePolicy.objects.exists()


def test_a_route_of_another_application_is_not_found(northgate: Scene, eastgate: Scene) -> None:
    theirs = eastgate.application.routes.get().pk
    assert _admin(northgate).post("rollout-policies", NEW | {"route": theirs}).status_code == 404


def test_without_a_preset_a_policy_needs_its_fields(northgate: Scene) -> None:
    answer = _admin(northgate).post("rollout-policies", {"maximum": 3})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "name")


def test_all_that_is_wrong_is_said_together() -> None:
    wrong = Definition("P", "x", None, None, 1, 0, "x")
    with pytest.raises(Invalid) as caught:
        checked_policy(wrong)
    assert [one.field for one in caught.value.errors] == ["metric", "maximum", "window_seconds", "n_min", "action"]


def test_a_named_score_has_a_plain_name() -> None:
    assert known_metric("score:groundedness")
    assert not known_metric("score:Ground ed")
