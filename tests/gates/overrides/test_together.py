"""Two at once: one outcome, one receipt, and the other is told what happened."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from gates.overrides.deciding import approve, reject, withdraw
from gates.overrides.expiring import expire_due
from gates.overrides.using import use_override
from gates.run_models import Override
from relcontrol.clock import now
from relcontrol.errors import Conflict
from tests import factories
from tests.gates.overrides.evidence import events
from tests.gates.overrides.scene import COMMENT, Gate, gate, gate_run, person_actor


@pytest.fixture
def committed(transactional_db: None) -> Gate:
    """A failed release that other connections see."""
    return gate()


def _at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What each act came to, begun together on connections of their own."""
    together = Barrier(len(acts), timeout=10)

    def closing(act: Callable[[], Any]) -> Any:
        try:
            together.wait()
            return act()
        except Conflict as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(closing, acts))


def _codes(done: list[Any]) -> list[str]:
    return sorted(result.code if isinstance(result, Conflict) else "done" for result in done)


def test_of_two_approvals_one_counts(committed: Gate) -> None:
    row = committed.requested()
    third = factories.person(committed.organization, "release-manager", email="ines@northgate.example")
    people = [person_actor(committed.organization, who) for who in (committed.approver, third)]
    acts = [lambda by=by: approve(actor=by, override=row, comment=COMMENT) for by in people]
    assert _codes(_at_once(*acts)) == ["decided_already", "done"]
    assert events(committed.organization) == ["override.requested", "gate.overridden"]


def test_an_approval_and_a_withdrawal_have_one_outcome(committed: Gate) -> None:
    row = committed.requested()
    decider, asker = (person_actor(committed.organization, who) for who in (committed.approver, committed.asker))
    done = _at_once(
        lambda: approve(actor=decider, override=row, comment=COMMENT),
        lambda: reject(actor=decider, override=row, comment=COMMENT),
        lambda: withdraw(actor=asker, override=row, comment=COMMENT),
    )
    assert _codes(done) == ["decided_already", "decided_already", "done"]
    assert len(events(committed.organization)) == 2


def test_of_two_requests_one_is_open(committed: Gate) -> None:
    people = [person_actor(committed.organization, who) for who in (committed.asker, committed.approver)]
    done = _at_once(*[lambda by=by: committed.requested(actor=by) for by in people])
    assert _codes(done) == ["done", "override_open"]
    assert Override.objects.count() == 1


def test_a_lapsed_one_expires_once_whoever_sees_it_first(committed: Gate) -> None:
    row = committed.requested()
    Override.objects.filter(pk=row.pk).update(expires_at=row.requested_at)
    _at_once(lambda: expire_due(now()), lambda: expire_due(now()), committed.requested)
    names = events(committed.organization)
    assert (names.count("override.expired"), names.count("override.requested")) == (1, 2)


def test_it_is_used_once(committed: Gate) -> None:
    row = committed.requested()
    approve(actor=person_actor(committed.organization, committed.approver), override=row, comment=COMMENT)
    actor = person_actor(committed.organization, committed.asker)
    acts = [lambda: use_override(actor=actor, manifest_sha256=row.manifest_sha256)] * 2
    assert _codes(_at_once(*acts)) == ["done", "no_active_override"]


def test_two_cold_starts_of_a_route_are_not_both_approved(committed: Gate) -> None:
    rows = []
    for _ in range(2):
        release = committed.another()
        gate_run(release)
        rows.append(committed.requested(release=release))
    decider = person_actor(committed.organization, committed.approver)
    done = _at_once(*[lambda row=row: approve(actor=decider, override=row, comment=COMMENT) for row in rows])
    assert _codes(done) == ["cold_start_used", "done"]
