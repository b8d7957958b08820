"""Feedback on single answers: what is taken, from whom, and what is refused without a trace."""

from typing import Any

import pytest

from releases.trace_models import Feedback
from tests.factories import Api, api, person, person_token, service_token
from tests.releases.scene import Scene

THUMB = {"request_id": "req_1", "kind": "thumb", "value": -1}


@pytest.fixture
def gateway(northgate: Scene) -> Api:
    """A service that sends traces and feedback."""
    return api(service_token(northgate.organization, "traces:write"))


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (THUMB, ("thumb", "", -1.0, "")),
        ({"request_id": "req_1", "kind": "outcome", "value": 1}, ("outcome", "", 1.0, "")),
        ({"request_id": "req_1", "kind": "label", "value": "wrong clause"}, ("label", "", None, "wrong clause")),
        ({"request_id": "r", "kind": "score", "name": "toxicity", "value": 0.25}, ("score", "toxicity", 0.25, "")),
    ],
    ids=["thumb", "outcome", "label", "score"],
)
def test_each_kind_is_kept_and_answered(
    northgate: Scene, gateway: Api, sent: dict[str, Any], kept: tuple[Any, ...]
) -> None:
    answer = gateway.post("feedback", sent)
    assert answer.status_code == 201, answer.content
    row = Feedback.objects.get(organization=northgate.organization)
    assert (row.kind, row.name, row.value, row.label) == kept
    assert {name: answer.json()[name] for name in sent} == sent


def test_what_is_said_again_is_kept_beside_the_first(gateway: Api) -> None:
    gateway.post("feedback", THUMB)
    gateway.post("feedback", THUMB | {"value": 1})
    assert list(Feedback.objects.order_by("pk").values_list("value", flat=True)) == [-1.0, 1.0]


@pytest.mark.parametrize("role", ["release-manager", "domain-owner"])
def test_people_who_release_or_own_a_domain_may_say_something(northgate: Scene, role: str) -> None:
    somebody = api(person_token(northgate.organization, person(northgate.organization, role)))
    assert somebody.post("feedback", THUMB).status_code == 201


def test_a_viewer_and_a_token_without_the_scope_may_not(northgate: Scene) -> None:
    viewer = api(person_token(northgate.organization, person(northgate.organization, "viewer")))
    assert [each.post("feedback", THUMB).status_code for each in (viewer, northgate.ci)] == [403, 403]
    assert not Feedback.objects.exists()


def test_nothing_is_read_here(gateway: Api) -> None:
    assert gateway.get("feedback").status_code == 405


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "shout"}, "kind"),
        ({"value": 0}, "value"),
        ({"value": True}, "value"),
        ({"value": "up"}, "value"),
        ({"value": None}, "value"),
        ({"value": [1]}, "value"),
        ({"name": "x"}, "name"),
        ({"kind": "outcome", "value": 2}, "value"),
        ({"kind": "score", "value": 1}, "name"),
        ({"kind": "score", "name": "A b", "value": 1}, "name"),
        ({"kind": "score", "name": "a", "value": 1e9}, "value"),
        ({"kind": "label", "value": ""}, "value"),
        ({"kind": "label", "value": "x" * 201}, "value"),
        ({"kind": "label", "value": 3}, "value"),
        ({"request_id": ""}, "request_id"),
        ({"request_id": "a b"}, "request_id"),
        ({"request_id": "x" * 101}, "request_id"),
        ({"unknown": 1}, "unknown"),
    ],
    ids=str,
)
def test_what_cannot_be_feedback_is_refused_by_its_field(gateway: Api, changes: dict[str, Any], field: str) -> None:
    answer = gateway.post("feedback", THUMB | changes)
    assert answer.status_code == 422, answer.content
    assert field in {one["field"] for one in answer.json()["errors"]}
    assert not Feedback.objects.exists()
