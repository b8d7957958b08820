"""Deciding on an override: by whom, when, with what words; and what each decision leaves."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from audit.models import ChainCheck
from gates.overrides.deciding import approve, reject, withdraw
from gates.run_models import GateRun, Override
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Token
from relcontrol.clock import now
from relcontrol.errors import Conflict, DomainError, Forbidden, Invalid
from tests import factories
from tests.gates.overrides.scene import COMMENT, Gate, gate_run, person_actor

Step = Callable[..., Override]
REJECTION = "Not before the router blocks IP questions."


@pytest.fixture
def asked(failed: Gate) -> Override:
    """An override that waits."""
    return failed.requested()


def _decider(failed: Gate, **known: Any) -> Actor:
    return person_actor(failed.organization, failed.approver, **known)


def _refused(failed: Gate, kind: type[DomainError], act: Callable[[], object]) -> str:
    before = failed.written()
    with pytest.raises(kind) as caught:
        act()
    assert failed.written() == before
    return caught.value.code


def test_an_approval_makes_it_active_and_names_both_persons(failed: Gate, asked: Override) -> None:
    row = approve(actor=_decider(failed), override=asked, comment=f" {COMMENT} ")
    assert (row.state, row.comment, row.decided_by) == ("active", COMMENT, failed.approver.pk)
    predicate = failed.predicate()
    claim = predicate["decision"]["override"]
    assert (predicate["event"], predicate["decision"]["outcome"]) == ("gate.overridden", "overridden")
    assert predicate["actor"]["signature_meaning"] == "approved"
    assert (claim["requested_by"], claim["approved_by"]) == (failed.asker.pk, failed.approver.pk)
    assert claim["gate_override_sha256"] == asked.gate_override_sha256


def test_a_rejection_ends_it(failed: Gate, asked: Override) -> None:
    row = reject(actor=_decider(failed), override=asked, comment=REJECTION)
    assert (row.state, row.comment) == ("rejected", REJECTION)
    predicate = failed.predicate()
    assert (predicate["event"], predicate["decision"]["override"]["approved_by"]) == ("override.rejected", None)
    assert failed.requested().pk != row.pk


def test_who_asked_may_take_it_back(failed: Gate, asked: Override) -> None:
    row = withdraw(actor=person_actor(failed.organization, failed.asker), override=asked, comment="Not needed.")
    assert (row.state, failed.predicate()["event"]) == ("withdrawn", "override.withdrawn")


def test_nobody_else_takes_it_back(failed: Gate, asked: Override) -> None:
    act = lambda: withdraw(actor=_decider(failed), override=asked, comment="Not needed.")  # noqa: E731 - one use
    assert _refused(failed, Forbidden, act) == "not_yours"


@pytest.mark.parametrize("step", [approve, reject])
def test_nobody_decides_on_her_own_request(failed: Gate, asked: Override, step: Step) -> None:
    own = person_actor(failed.organization, failed.asker)
    assert _refused(failed, Forbidden, lambda: step(actor=own, override=asked, comment=COMMENT)) == "own_request"


def test_an_administrator_is_not_exempt(failed: Gate) -> None:
    both = factories.person(failed.organization, "admin", "release-manager")
    row = failed.requested(actor=person_actor(failed.organization, both))
    act = lambda: approve(actor=person_actor(failed.organization, both), override=row, comment=COMMENT)  # noqa: E731
    assert _refused(failed, Forbidden, act) == "own_request"


def _token_of(text: str) -> Token:
    return Token.objects.get(public=text.removeprefix("rc_").partition(".")[0])


def _with_token(failed: Gate, who: Any, **changes: Any) -> Actor:
    token = _token_of(factories.person_token(failed.organization, who))
    for name, value in changes.items():
        setattr(token, name, value)
    return person_actor(failed.organization, who, auth="token", token=token, proved_at=token.created_at)


def test_the_requester_cannot_approve_with_her_own_token(failed: Gate, asked: Override) -> None:
    own = _with_token(failed, failed.asker)
    assert _refused(failed, Forbidden, lambda: approve(actor=own, override=asked, comment=COMMENT)) == "own_request"


def test_what_she_asked_with_her_own_token_she_cannot_approve_in_the_browser(failed: Gate) -> None:
    row = failed.requested(actor=_with_token(failed, failed.asker))
    own = person_actor(failed.organization, failed.asker)
    assert _refused(failed, Forbidden, lambda: approve(actor=own, override=row, comment=COMMENT)) == "own_request"


def test_what_a_service_asked_is_not_approved_by_who_made_its_token(failed: Gate) -> None:
    token = _token_of(factories.service_token(failed.organization, "overrides:write"))
    Token.objects.filter(pk=token.pk).update(created_by=failed.approver.pk)
    service = Actor(organization=failed.organization, kind="service", auth="token", token=token)
    row = failed.requested(actor=service)
    act = lambda: approve(actor=_decider(failed), override=row, comment=COMMENT)  # noqa: E731 - one use
    assert _refused(failed, Forbidden, act) == "own_request"
    assert approve(actor=person_actor(failed.organization, failed.asker), override=row, comment=COMMENT).state


def test_a_token_of_the_requesters_making_is_not_a_second_person(failed: Gate, asked: Override) -> None:
    lent = _with_token(failed, failed.approver, created_by=failed.asker.pk)
    assert _refused(failed, Forbidden, lambda: approve(actor=lent, override=asked, comment=COMMENT)) == "own_request"


@pytest.mark.parametrize("step", [approve, reject])
@pytest.mark.parametrize("role", ["viewer", "domain-owner", "auditor", "admin"])
def test_other_roles_decide_nothing(failed: Gate, asked: Override, role: str, step: Step) -> None:
    other = factories.person_actor(failed.organization, role)
    assert _refused(failed, Forbidden, lambda: step(actor=other, override=asked, comment=COMMENT)) == "forbidden"


def test_a_service_decides_nothing_whatever_its_scopes(failed: Gate, asked: Override) -> None:
    token = _token_of(factories.service_token(failed.organization, "overrides:write", "gates:write"))
    service = Actor(organization=failed.organization, kind="service", auth="token", token=token)
    assert _refused(failed, Forbidden, lambda: approve(actor=service, override=asked, comment=COMMENT)) == "forbidden"
    assert _refused(failed, Forbidden, lambda: reject(actor=service, override=asked, comment=COMMENT)) == "forbidden"


def test_an_old_token_proves_too_little(failed: Gate, asked: Override) -> None:
    young, old = (
        _with_token(failed, failed.approver, created_at=now() - timedelta(hours=hours)) for hours in (11.9, 12.1)
    )
    assert _refused(failed, Forbidden, lambda: approve(actor=old, override=asked, comment=COMMENT)) == "stale_token"
    assert approve(actor=young, override=asked, comment=COMMENT).state == "active"


@pytest.mark.parametrize("proved", [None, timedelta(seconds=601)])
def test_a_browser_must_have_proved_lately_who_sits_there(
    failed: Gate, asked: Override, proved: timedelta | None
) -> None:
    stale = _decider(failed, proved_at=proved and now() - proved)
    assert _refused(failed, Forbidden, lambda: approve(actor=stale, override=asked, comment=COMMENT)) == "proof_needed"


@pytest.mark.parametrize(
    ("step", "comment"),
    [
        (approve, ""),
        (approve, "  "),
        (approve, None),
        (approve, 7),
        (approve, "x" * 2001),
        (reject, "no"),
        (reject, ""),
    ],
)
def test_a_decision_has_words(failed: Gate, asked: Override, step: Step, comment: object) -> None:
    act = lambda: step(actor=_decider(failed), override=asked, comment=comment)  # noqa: E731 - one use
    assert _refused(failed, Invalid, act) == "invalid"


@pytest.mark.parametrize("step", [approve, reject])
def test_after_its_hour_it_is_expired_before_anybody_writes_so(failed: Gate, asked: Override, step: Step) -> None:
    Override.objects.filter(pk=asked.pk).update(expires_at=now())
    act = lambda: step(actor=_decider(failed), override=asked, comment=COMMENT)  # noqa: E731 - one use
    assert _refused(failed, Conflict, act) == "expired"


def test_a_newer_gate_run_makes_the_approval_pointless(failed: Gate, asked: Override) -> None:
    gate_run(failed.release)
    act = lambda: approve(actor=_decider(failed), override=asked, comment=COMMENT)  # noqa: E731 - one use
    assert _refused(failed, Conflict, act) == "gate_run_changed"


def test_a_dry_run_changes_nothing_of_it(failed: Gate, asked: Override) -> None:
    gate_run(failed.release, dry_run=True)
    gate_run(failed.release, state=GateRun.State.RUNNING)
    assert approve(actor=_decider(failed), override=asked, comment=COMMENT).state == "active"


def test_a_broken_chain_stops_the_approval(failed: Gate, asked: Override) -> None:
    ChainCheck.objects.update(problem="seq 3: the signature does not verify")
    act = lambda: approve(actor=_decider(failed), override=asked, comment=COMMENT)  # noqa: E731 - one use
    assert _refused(failed, Conflict, act) == "integrity"


@pytest.mark.parametrize("state", ["active", "used", "rejected", "withdrawn"])
def test_what_is_decided_stays_decided(failed: Gate, asked: Override, state: str) -> None:
    Override.objects.filter(pk=asked.pk).update(state=state, decided_by_label="Daniel")
    for step in (approve, reject):
        with pytest.raises(Conflict) as caught:
            step(actor=_decider(failed), override=asked, comment=COMMENT)
        assert (caught.value.code, caught.value.state["state"]) == ("decided_already", state)
