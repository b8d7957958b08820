"""Overrides end: by the hour, or by the one rollout that they let through."""

from datetime import timedelta

import pytest

from gates.overrides.deciding import approve
from gates.overrides.expiring import expire_due
from gates.overrides.selectors import usable_manifests, waiting_overrides
from gates.overrides.using import use_override
from gates.run_models import Override
from relcontrol.clock import now
from relcontrol.errors import Conflict, Forbidden
from relcontrol.ticks import expire_overrides
from tests import factories
from tests.gates.overrides.scene import COMMENT, Gate, gate_run, person_actor


def _approved(failed: Gate) -> Override:
    decider = person_actor(failed.organization, failed.approver)
    return approve(actor=decider, override=failed.requested(), comment=COMMENT)


def _lapse(row: Override) -> None:
    Override.objects.filter(pk=row.pk).update(expires_at=now() - timedelta(seconds=1))


def test_the_ticker_writes_down_what_has_lapsed_once(failed: Gate) -> None:
    row = failed.requested()
    assert expire_due(now()) == 0
    _lapse(row)
    assert (expire_due(now()), expire_due(now())) == (1, 0)
    row.refresh_from_db()
    assert row.state == "expired"
    predicate = failed.predicate()
    assert (predicate["event"], predicate["actor"]["kind"]) == ("override.expired", "system")


def test_an_approved_one_lapses_too_and_keeps_its_approver(failed: Gate) -> None:
    _lapse(_approved(failed))
    expire_overrides()
    assert failed.predicate()["decision"]["override"]["approved_by"] == failed.approver.pk


def test_what_has_ended_otherwise_does_not_lapse(failed: Gate) -> None:
    row = _approved(failed)
    use_override(actor=person_actor(failed.organization, failed.asker), manifest_sha256=row.manifest_sha256)
    _lapse(row)
    assert expire_due(now()) == 0


def test_it_lets_one_rollout_start(failed: Gate) -> None:
    row, actor = _approved(failed), person_actor(failed.organization, failed.asker)
    assert usable_manifests(failed.organization, [row.manifest_sha256], now()) == {row.manifest_sha256}
    used = use_override(actor=actor, manifest_sha256=row.manifest_sha256)
    assert (used.pk, used.state, used.used_at is not None) == (row.pk, "used", True)
    assert usable_manifests(failed.organization, [row.manifest_sha256], now()) == set()
    with pytest.raises(Conflict) as caught:
        use_override(actor=actor, manifest_sha256=row.manifest_sha256)
    assert caught.value.code == "no_active_override"


def test_a_waiting_or_lapsed_one_lets_nothing_start(failed: Gate) -> None:
    actor, manifest = person_actor(failed.organization, failed.asker), failed.release.manifest_sha256
    row = failed.requested()
    with pytest.raises(Conflict):
        use_override(actor=actor, manifest_sha256=manifest)
    Override.objects.filter(pk=row.pk).update(state="active", expires_at=now())
    with pytest.raises(Conflict):
        use_override(actor=actor, manifest_sha256=manifest)


def test_a_newer_gate_run_leaves_nothing_to_use(failed: Gate) -> None:
    row = _approved(failed)
    gate_run(failed.release)
    assert usable_manifests(failed.organization, [row.manifest_sha256], now()) == set()
    with pytest.raises(Conflict):
        use_override(actor=person_actor(failed.organization, failed.asker), manifest_sha256=row.manifest_sha256)


def test_using_it_takes_the_right_to_roll(failed: Gate) -> None:
    row = _approved(failed)
    with pytest.raises(Forbidden):
        use_override(actor=factories.person_actor(failed.organization, "admin"), manifest_sha256=row.manifest_sha256)


def test_those_that_wait_come_nearest_deadline_first(failed: Gate) -> None:
    first, other = failed.requested(), failed.another()
    gate_run(other)
    second = failed.requested(release=other, expires_in_seconds=60)
    assert list(waiting_overrides(failed.organization, now())) == [second, first]
    _lapse(second)
    assert list(waiting_overrides(failed.organization, now())) == [first]
    gate_run(failed.release)
    assert list(waiting_overrides(failed.organization, now())) == []
