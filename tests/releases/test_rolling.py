"""POST /v1/releases/{id}/roll: the plan is checked, then whether the release may roll at all."""

import json
from typing import Any

import pytest

from tests.factories import api, service_token
from tests.releases.scene import Scene

THREE = [
    {"percent": 5, "dwell_seconds": 240, "requests": 1000},
    {"percent": 25, "dwell_seconds": 900, "requests": 10000},
    {"percent": 100, "dwell_seconds": 240, "requests": 1000},
]


def test_the_original_curl_call_answers_with_the_reason(northgate: Scene) -> None:
    made = northgate.registered()
    before = northgate.written()
    call = {"strategy": "canary", "dwell_5pct_seconds": 240, "dwell_25pct_seconds": 900}
    answer = northgate.ci.client.post(
        f"/v1/releases/{made['release_id']}/roll",
        json.dumps(call),
        content_type="application/x-www-form-urlencoded",
    )
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "not_deployable")
    assert (problem["state"]["standing"], problem["state"]["delivery"]) == ("none", "registered")
    why_not = northgate.ci.get(f"releases/{made['release_id']}").json()["why_not"]
    assert problem["state"]["why_not"][: len(why_not)] == why_not
    assert northgate.written() == before


@pytest.mark.parametrize(
    ("order", "field"),
    [
        ({"checkpoints": [THREE[2]]}, "checkpoints"),
        ({"checkpoints": THREE[1:]}, "checkpoints"),
        ({"checkpoints": []}, "checkpoints"),
        ({"checkpoints": [THREE[1], THREE[0], THREE[2]]}, "checkpoints[1].percent"),
        ({"checkpoints": [THREE[0], THREE[0], THREE[2]]}, "checkpoints[1].percent"),
        ({"checkpoints": [*THREE[:2], THREE[2] | {"percent": 99}]}, "checkpoints[2].percent"),
        ({"checkpoints": [*THREE[:2], THREE[2] | {"percent": 101}]}, "checkpoints[2].percent"),
        ({"checkpoints": [THREE[0] | {"percent": 0}, *THREE[1:]]}, "checkpoints[0].percent"),
        ({"checkpoints": THREE, "dwell_5pct_seconds": 60}, "dwell_5pct_seconds"),
        ({"dwell_5pct_seconds": "240"}, "dwell_5pct_seconds"),
        ({"requests_25pct": 0}, "requests_25pct"),
        ({"strategy": "all-at-once"}, "strategy"),
        ({"strategy": None}, "strategy"),
        ({"dry_run": "yes"}, "dry_run"),
        ({"percent": 100}, "percent"),
    ],
)
def test_a_plan_that_breaks_a_rule_is_refused_by_field(northgate: Scene, order: dict[str, Any], field: str) -> None:
    made = northgate.registered()
    answer = northgate.ci.post(f"releases/{made['release_id']}/roll", {"strategy": "canary"} | order)
    assert answer.status_code == 422
    assert field in {error["field"] for error in answer.json()["errors"]}


def test_another_organization_cannot_roll_it(northgate: Scene, eastgate: Scene) -> None:
    made = northgate.registered()
    assert eastgate.ci.post(f"releases/{made['release_id']}/roll", {"strategy": "canary"}).status_code == 404


def test_rolling_takes_the_scope_of_rollouts(northgate: Scene) -> None:
    made = northgate.registered()
    other = api(service_token(northgate.organization, "releases:write"))
    assert other.post(f"releases/{made['release_id']}/roll", {"strategy": "canary"}).status_code == 403


def test_rolling_takes_no_other_method(northgate: Scene) -> None:
    made = northgate.registered()
    assert northgate.ci.get(f"releases/{made['release_id']}/roll").status_code == 405
