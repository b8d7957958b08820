"""Asking for an override: what it is bound to, what it needs, what leaves a receipt."""

from datetime import timedelta
from typing import Any

import pytest

from audit.models import ChainCheck
from gates.overrides.deciding import approve
from gates.overrides.rules import override_sha256
from gates.run_models import Override
from relcontrol.accounts.actors import Actor, command_actor
from relcontrol.accounts.models import Token
from relcontrol.errors import Conflict, Forbidden, Invalid
from releases.models import Release
from tests import factories
from tests.gates.overrides.evidence import events
from tests.gates.overrides.scene import COMMENT, REASON, Gate, gate, gate_run, person_actor
from tests.releases import scene as registry


def test_a_request_is_bound_to_manifest_and_gate_run(failed: Gate) -> None:
    row = failed.requested()
    assert (row.state, row.manifest_sha256, row.run) == (
        "pending_approval",
        failed.release.manifest_sha256,
        failed.run,
    )
    assert (row.slices, row.accepted_levels) == (["ip-licensing"], {"ip-licensing": "0.612"})
    assert row.expires_at - row.requested_at == timedelta(hours=24)
    assert not row.cold_start


def test_its_digest_can_be_made_again_from_the_receipt(failed: Gate) -> None:
    row = failed.requested()
    claim = failed.predicate()["decision"]["override"]
    document = {
        "schema": "relcontrol/override/v1",
        "manifest_sha256": row.manifest_sha256,
        "gate_run_sha256": failed.run.gate_run_sha256,
        "slices": claim["slices"],
        "accepted_levels": claim["accepted_levels"],
        "force_gate_override": True,
        "reason": claim["reason"],
        "requested_by": claim["requested_by"],
        "requested_at": row.requested_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "expires_at": claim["expires_at"],
    }
    assert override_sha256(document) == row.gate_override_sha256 == claim["gate_override_sha256"]


def test_its_receipt_says_who_asked_and_what_had_failed(failed: Gate) -> None:
    failed.requested()
    predicate = failed.predicate()
    assert (predicate["event"], predicate["actor"]["id"]) == ("override.requested", failed.asker.pk)
    assert predicate["decision"]["override"]["approved_by"] is None
    assert predicate["decision"]["override"]["reason"] == REASON
    (only,) = predicate["decision"]["inputs"]
    assert (only["slice"], only["metric"], only["value"], only["threshold"], only["verdict"]) == (
        "ip-licensing",
        "agreement",
        "0.41",
        "0.65",
        "fail",
    )
    assert predicate["release"] == {"manifest_sha256": failed.release.manifest_sha256, "id": None, "route": None}


@pytest.mark.parametrize(
    "order",
    [
        {"force": False},
        {"force": "true"},
        {"reason": ""},
        {"reason": "too short"},
        {"reason": None},
        {"slices": []},
        {"slices": ["contract-drafting"]},
        {"accepted_levels": {"ip-licensing": 2}},
        {"expires_in_seconds": 5},
    ],
)
def test_what_is_not_said_properly_leaves_nothing(failed: Gate, order: dict[str, Any]) -> None:
    before = failed.written()
    with pytest.raises(Invalid):
        failed.requested(**order)
    assert failed.written() == before


def _refused(failed: Gate, code: str, **order: Any) -> Conflict:
    before = failed.written()
    with pytest.raises(Conflict) as caught:
        failed.requested(**order)
    assert (caught.value.code, failed.written()) == (code, before)
    return caught.value


def test_without_a_gate_run_there_is_nothing_to_override(failed: Gate) -> None:
    _refused(failed, "nothing_to_override", release=failed.another())


def test_a_pass_is_nothing_to_override(failed: Gate) -> None:
    gate_run(failed.release, "gate_pass")
    _refused(failed, "nothing_to_override")


def test_a_dry_run_decides_nothing(failed: Gate) -> None:
    gate_run(failed.release, "gate_pass", dry_run=True)
    assert failed.requested().run == failed.run


def test_a_held_run_can_be_overridden(db: None) -> None:
    assert gate("southgate", verdict="gate_hold").requested().state == "pending_approval"


def test_there_is_one_override_of_a_run_at_a_time(failed: Gate) -> None:
    first = failed.requested()
    assert _refused(failed, "override_open").state["override_id"] == first.pk


def test_after_a_used_one_another_can_be_asked_for(failed: Gate) -> None:
    row = failed.requested()
    Override.objects.filter(pk=row.pk).update(state="used")
    assert failed.requested().state == "pending_approval"


def test_a_lapsed_one_makes_room_and_is_receipted_as_expired(failed: Gate) -> None:
    first = failed.requested()
    Override.objects.filter(pk=first.pk).update(expires_at=first.requested_at)
    second = failed.requested()
    first.refresh_from_db()
    assert (first.state, second.state) == ("expired", "pending_approval")
    assert events(failed.organization) == ["override.requested", "override.expired", "override.requested"]


def test_a_broken_chain_is_covered_by_nothing(failed: Gate) -> None:
    ChainCheck.objects.update(problem="seq 3: the signature does not verify")
    _refused(failed, "integrity")


def _cold(made: registry.Scene, failed: Gate, number: int) -> Release:
    release = Release.objects.get(pk=made.registered(generation={"seed": number})["release_id"])
    gate_run(release)
    return release


def test_the_cold_start_of_a_route_is_overridden_once(failed: Gate) -> None:
    first, second = (_cold(failed.registry, failed, number) for number in (1, 2))
    row = failed.requested(release=first)
    assert row.cold_start
    waiting = failed.requested(release=second)
    decider = person_actor(failed.organization, failed.approver)
    approve(actor=decider, override=row, comment=COMMENT)
    with pytest.raises(Conflict) as caught:
        approve(actor=decider, override=waiting, comment=COMMENT)
    assert caught.value.code == "cold_start_used"
    _refused(failed, "cold_start_used", release=_cold(failed.registry, failed, 3))


def test_a_cold_start_that_was_not_approved_does_not_count(failed: Gate) -> None:
    first, second = (_cold(failed.registry, failed, number) for number in (1, 2))
    row = failed.requested(release=first)
    Override.objects.filter(pk=row.pk).update(state="expired")
    assert failed.requested(release=second).cold_start


def test_without_a_second_person_a_persons_request_is_active_at_once(db: None) -> None:
    failed = gate("southgate", policy={"second_person": False})
    row = failed.requested()
    assert (row.state, row.decided_by) == ("active", "")
    assert events(failed.organization) == ["override.requested", "gate.overridden"]
    assert failed.predicate()["decision"]["override"]["approved_by"] is None


def test_without_a_second_person_a_service_cannot_ask(db: None) -> None:
    failed = gate("southgate", policy={"second_person": False})
    service, before = _service(failed), failed.written()
    with pytest.raises(Forbidden):
        failed.requested(actor=service)
    assert failed.written() == before


def test_without_a_second_person_the_proof_must_be_fresh(db: None) -> None:
    failed = gate("southgate", policy={"second_person": False})
    with pytest.raises(Forbidden) as caught:
        failed.requested(actor=person_actor(failed.organization, failed.asker, proved_at=None))
    assert caught.value.code == "proof_needed"


def _service(failed: Gate) -> Actor:
    text = factories.service_token(failed.organization, "overrides:write")
    token = Token.objects.get(public=text.removeprefix("rc_").partition(".")[0])
    return Actor(organization=failed.organization, kind="service", auth="token", token=token)


def test_a_service_may_ask(failed: Gate) -> None:
    assert failed.requested(actor=_service(failed)).requested_by.startswith("tok_")


@pytest.mark.parametrize("role", ["viewer", "domain-owner", "auditor", "admin"])
def test_other_roles_may_not_ask(failed: Gate, role: str) -> None:
    with pytest.raises(Forbidden):
        failed.requested(actor=factories.person_actor(failed.organization, role))


def test_who_has_the_machine_may_ask_but_not_decide(failed: Gate) -> None:
    row = failed.requested(actor=command_actor(failed.organization))
    with pytest.raises(Forbidden) as caught:
        approve(actor=command_actor(failed.organization), override=row, comment=COMMENT)
    assert caught.value.code == "person_needed"
