"""Overrides by REST: ask, read, decide; every wrong form of the two fields; who gets in."""

from datetime import timedelta
from typing import Any

import pytest

from gates.run_models import Override
from relcontrol.accounts.models import Token
from relcontrol.clock import now
from releases.models import Release
from tests import factories
from tests.factories import Api, api
from tests.gates.overrides.scene import COMMENT, REASON, Gate, gate, gate_run

BOTH = {"forceGateOverride": True, "overrideReason": REASON}


@pytest.fixture
def asker(failed: Gate) -> Api:
    """The release manager who asks."""
    return api(factories.person_token(failed.organization, failed.asker))


@pytest.fixture
def approver(failed: Gate) -> Api:
    """The release manager who decides."""
    return api(factories.person_token(failed.organization, failed.approver))


def _ask(failed: Gate, by: Api, body: Any = BOTH, **headers: str) -> Any:
    return by.post(f"releases/{failed.release.pk}/override", body, **headers)


def test_it_is_asked_for_approved_and_read(failed: Gate, asker: Api, approver: Api) -> None:
    asked = _ask(failed, asker)
    assert asked.status_code == 201, asked.content
    made = asked.json()
    assert (made["state"], made["slices"], made["accepted_levels"]) == (
        "pending_approval",
        ["ip-licensing"],
        {"ip-licensing": "0.612"},
    )
    answer = approver.post(f"overrides/{made['override_id']}/approve", {"comment": COMMENT})
    assert (answer.status_code, answer.json()["state"]) == (200, "active")
    assert answer.json()["gate_override_sha256"] == made["gate_override_sha256"]
    assert asker.get(f"overrides/{made['override_id']}").json() == answer.json()
    assert [row["override_id"] for row in asker.get("overrides").json()["results"]] == [made["override_id"]]


@pytest.mark.parametrize("step", ["reject", "withdraw"])
def test_it_is_rejected_or_taken_back(failed: Gate, asker: Api, approver: Api, step: str) -> None:
    key = _ask(failed, asker).json()["override_id"]
    by = approver if step == "reject" else asker
    answer = by.post(f"overrides/{key}/{step}", {"comment": "It is not needed any more."})
    assert (answer.status_code, answer.json()["state"]) == (200, {"reject": "rejected", "withdraw": "withdrawn"}[step])


NO_FORCE: list[Any] = [False, None, "true", 1, 0, [], {}]
NO_REASON: list[Any] = ["", " ", "\n", "short", None, 5, [], {}]
WRONG: list[tuple[dict[str, Any], set[str]]] = [
    ({}, {"forceGateOverride", "overrideReason"}),
    ({"forceGateOverride": True}, {"overrideReason"}),
    ({"overrideReason": REASON}, {"forceGateOverride"}),
    *[({**BOTH, "forceGateOverride": value}, {"forceGateOverride"}) for value in NO_FORCE],
    *[({**BOTH, "overrideReason": value}, {"overrideReason"}) for value in NO_REASON],
    ({**BOTH, "overrideReason": "x" * 50}, {"overrideReason"}),
    ({**BOTH, "overrideReason": "x" * 4001}, {"overrideReason"}),
    ({"forceGateOverride": False, "overrideReason": "n/a"}, {"forceGateOverride", "overrideReason"}),
    ({"force_gate_override": True, "override_reason": REASON}, {"force_gate_override", "override_reason"}),
    ({**BOTH, "slices": ["contract-drafting"]}, {"slices"}),
    ({**BOTH, "slices": "ip-licensing"}, {"slices"}),
    ({**BOTH, "accepted_levels": {"ip-licensing": 1.2}}, {"accepted_levels.ip-licensing"}),
    ({**BOTH, "expires_in_seconds": 0}, {"expires_in_seconds"}),
    ({**BOTH, "expires_in_seconds": "60"}, {"expires_in_seconds"}),
    ({**BOTH, "approved": True}, {"approved"}),
]


@pytest.mark.parametrize(("body", "fields"), WRONG)
def test_what_is_wrong_is_named_and_nothing_is_recorded(
    failed: Gate, asker: Api, body: dict[str, Any], fields: set[str]
) -> None:
    before = failed.written()
    answer = _ask(failed, asker, body)
    assert answer.status_code == 422
    assert {wrong["field"] for wrong in answer.json()["errors"]} == fields
    assert failed.written() == before


def test_an_own_level_and_a_nearer_end_are_taken(failed: Gate, asker: Api) -> None:
    body = {**BOTH, "slices": ["ip-licensing"], "accepted_levels": {"ip-licensing": 0.55}, "expires_in_seconds": 3600}
    made = _ask(failed, asker, body).json()
    assert made["accepted_levels"] == {"ip-licensing": "0.55"}
    row = Override.objects.get(pk=made["override_id"])
    assert row.expires_at - row.requested_at == timedelta(hours=1)


def test_the_same_key_asks_once(failed: Gate, asker: Api) -> None:
    first = _ask(failed, asker, **{"Idempotency-Key": "ask-once"})
    again = _ask(failed, asker, **{"Idempotency-Key": "ask-once"})
    assert (first.json(), again.status_code) == (again.json(), 201)
    assert Override.objects.count() == 1


def test_a_second_one_answers_with_the_first(failed: Gate, asker: Api) -> None:
    key = _ask(failed, asker).json()["override_id"]
    answer = _ask(failed, asker)
    assert (answer.status_code, answer.json()["code"]) == (409, "override_open")
    assert answer.json()["state"]["override_id"] == key


def test_a_manifest_that_was_tampered_with_is_covered_by_nothing(failed: Gate, asker: Api) -> None:
    Release.objects.filter(pk=failed.release.pk).update(manifest=bytes(failed.release.manifest) + b" ")
    answer = _ask(failed, asker)
    assert (answer.status_code, answer.json()["code"]) == (409, "integrity")


@pytest.mark.parametrize("delivery", ["archived", "stable", "superseded", "rolling"])
def test_a_release_that_cannot_start_cannot_be_overridden(failed: Gate, asker: Api, delivery: str) -> None:
    Release.objects.filter(pk=failed.release.pk).update(delivery=delivery)
    answer = _ask(failed, asker)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_overridable")


def test_the_requesters_own_token_approves_nothing(failed: Gate, asker: Api) -> None:
    key = _ask(failed, asker).json()["override_id"]
    other = api(factories.person_token(failed.organization, failed.asker))
    answer = other.post(f"overrides/{key}/approve", {"comment": COMMENT})
    assert (answer.status_code, answer.json()["code"]) == (403, "own_request")


def test_an_old_token_approves_nothing(failed: Gate, asker: Api) -> None:
    key = _ask(failed, asker).json()["override_id"]
    old = api(factories.person_token(failed.organization, failed.approver))
    Token.objects.filter(person=failed.approver).update(created_at=now() - timedelta(hours=13))
    answer = old.post(f"overrides/{key}/approve", {"comment": COMMENT})
    assert (answer.status_code, answer.json()["code"]) == (403, "stale_token")


def test_a_service_asks_but_never_decides(failed: Gate) -> None:
    ci = api(factories.service_token(failed.organization, "overrides:write", "gates:write", "releases:write"))
    key = _ask(failed, ci).json()["override_id"]
    for step in ("approve", "reject"):
        answer = ci.post(f"overrides/{key}/{step}", {"comment": COMMENT})
        assert answer.status_code == 403
    assert ci.post(f"overrides/{key}/withdraw", {"comment": "Superseded."}).status_code == 200


def test_after_its_hour_an_approval_is_a_conflict_and_it_reads_as_expired(
    failed: Gate, asker: Api, approver: Api
) -> None:
    key = _ask(failed, asker).json()["override_id"]
    Override.objects.update(expires_at=now())
    answer = approver.post(f"overrides/{key}/approve", {"comment": COMMENT})
    assert (answer.status_code, answer.json()["code"]) == (409, "expired")
    assert asker.get(f"overrides/{key}").json()["state"] == "expired"
    assert asker.get("overrides", state="pending_approval").json()["results"] == []
    assert len(asker.get("overrides", state="expired").json()["results"]) == 1


def test_after_a_newer_gate_run_an_approval_is_a_conflict(failed: Gate, asker: Api, approver: Api) -> None:
    key = _ask(failed, asker).json()["override_id"]
    gate_run(failed.release)
    answer = approver.post(f"overrides/{key}/approve", {"comment": COMMENT})
    assert (answer.status_code, answer.json()["code"]) == (409, "gate_run_changed")


@pytest.mark.parametrize("step", ["approve", "reject", "withdraw"])
@pytest.mark.parametrize("body", [{}, {"comment": ""}, {"comment": " "}, {"comment": 1}, {"comment": "ok", "x": 1}])
def test_a_decision_without_words_changes_nothing(
    failed: Gate, asker: Api, approver: Api, step: str, body: dict[str, Any]
) -> None:
    key = _ask(failed, asker).json()["override_id"]
    before = failed.written()
    by = asker if step == "withdraw" else approver
    assert by.post(f"overrides/{key}/{step}", body).status_code == 422
    assert (failed.written(), Override.objects.get().state) == (before, "pending_approval")


def test_a_state_that_is_none_is_refused(asker: Api) -> None:
    assert asker.get("overrides", state="lost").status_code == 422


@pytest.mark.parametrize("path", ["overrides", "overrides/{key}"])
def test_reading_takes_no_other_method(failed: Gate, asker: Api, path: str) -> None:
    key = _ask(failed, asker).json()["override_id"]
    assert asker.post(path.format(key=key), BOTH).status_code == 405


@pytest.mark.parametrize("path", ["overrides/{key}/approve", "overrides/{key}/reject", "overrides/{key}/withdraw",
                                  "releases/{release}/override"])  # fmt: skip
def test_a_step_takes_no_other_method(failed: Gate, asker: Api, path: str) -> None:
    key = _ask(failed, asker).json()["override_id"]
    assert asker.get(path.format(key=key, release=failed.release.pk)).status_code == 405


def test_another_organization_finds_none_of_it(failed: Gate, asker: Api) -> None:
    key = _ask(failed, asker).json()["override_id"]
    east = gate("eastgate")
    stranger = api(factories.person_token(east.organization, east.approver))
    assert _ask(failed, stranger).status_code == 404
    assert stranger.get(f"overrides/{key}").status_code == 404
    assert stranger.get("overrides").json()["results"] == []
    for step in ("approve", "reject", "withdraw"):
        assert stranger.post(f"overrides/{key}/{step}", {"comment": COMMENT}).status_code == 404


@pytest.mark.parametrize("role", ["viewer", "auditor", "admin", "domain-owner"])
def test_other_roles_read_only(failed: Gate, asker: Api, role: str) -> None:
    key = _ask(failed, asker).json()["override_id"]
    other = api(factories.person_token(failed.organization, factories.person(failed.organization, role)))
    assert other.get(f"overrides/{key}").status_code == 200
    assert _ask(failed, other).status_code == 403
    for step in ("approve", "reject", "withdraw"):
        assert other.post(f"overrides/{key}/{step}", {"comment": COMMENT}).status_code == 403


def test_after_a_failed_gate_nothing_rolls_until_it_is_overridden(failed: Gate, asker: Api, approver: Api) -> None:
    roll, body = f"releases/{failed.release.pk}/roll", {"strategy": "canary"}
    refused = asker.post(roll, body).json()
    assert (refused["code"], refused["state"]["delivery"]) == ("not_deployable", "archived")
    key = _ask(failed, asker).json()["override_id"]
    assert asker.post(roll, body).json()["code"] == "not_deployable"
    approver.post(f"overrides/{key}/approve", {"comment": COMMENT})
    shown = asker.get(f"releases/{failed.release.pk}").json()
    assert (shown["standing"], shown["delivery"], shown["deployable"]) == ("overridden", "registered", True)
    assert asker.post(roll, body).json()["code"] == "rebase"  # nothing serves here yet
    Override.objects.update(state="used")
    shown = asker.get(f"releases/{failed.release.pk}").json()
    assert (shown["standing"], shown["deployable"]) == ("overridden", False)
    assert shown["why_not"] == ["Its override has been used; it covers one rollout."]
