"""The allowlist: proposed by one, in force once another has approved it, over on its date, every step receipted."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from gates.reviews.allowlist import active_cases, approve, propose, reject, withdraw
from gates.run_models import AllowlistEntry
from relcontrol.accounts.actors import Actor
from relcontrol.clock import now
from relcontrol.errors import Conflict, Forbidden, Invalid, NotFound
from tests.factories import service_token
from tests.gates.reviews.scene import Reviews, by_token, reviewer, reviews
from tests.gates.scene import scene

WHY = "The old answer was graded too high; the panel agreed on this on 3 November."
SEEN = "Read both answers; the new one is right."
State = AllowlistEntry.State


def proposed(here: Reviews, actor: Actor | None = None, **said: Any) -> AllowlistEntry:
    given: dict[str, Any] = {"suite": here.suite, "case_id": "c1", "justification": WHY} | said
    return propose(actor=actor or here.scene.actor, **given)


def tolerated(here: Reviews, **later: int) -> set[str]:
    return active_cases(here.suite, now() + timedelta(**later))


def test_a_proposal_tolerates_nothing_and_an_approval_does(here: Reviews) -> None:
    entry = proposed(here)
    assert (entry.state, tolerated(here)) == (State.PROPOSED, set())
    approved = approve(actor=reviewer(here), entry=entry, comment=SEEN)
    assert (approved.state, approved.comment, tolerated(here)) == (State.ACTIVE, SEEN, {"c1"})


def test_a_rejection_and_a_withdrawal_tolerate_nothing(here: Reviews) -> None:
    assert reject(actor=reviewer(here), entry=proposed(here), comment=SEEN).state == State.REJECTED
    assert tolerated(here) == set()
    entry = approve(actor=reviewer(here, "release-manager"), entry=proposed(here), comment=SEEN)
    assert tolerated(here) == {"c1"}
    assert withdraw(actor=here.scene.actor, entry=entry).state == State.WITHDRAWN
    assert tolerated(here) == set()


def test_an_entry_is_over_on_its_date(here: Reviews) -> None:
    entry = proposed(here, until=now() + timedelta(hours=1))
    approve(actor=reviewer(here), entry=entry, comment=SEEN)
    assert tolerated(here, minutes=59) == {"c1"}
    assert tolerated(here, minutes=61) == set()


def test_each_step_has_its_receipt_and_only_the_approval_says_allowlisted(here: Reviews) -> None:
    actor = reviewer(here)
    entry = proposed(here)
    assert last(here) == ("policy.changed", "proposed", f"allowlist_entry:{entry.pk}")
    approve(actor=actor, entry=entry, comment=SEEN)
    assert last(here) == ("case.allowlisted", "active", f"case:{entry.pk}")
    opened: Any = here.scene.receipts()[-1].openings.get(field="state").value
    assert opened["suite_sha256"] == here.suite.sha256
    stated = (opened["case_id"], opened["proposed_by"], opened["reviewed_by"], opened["comment"])
    assert stated == ("c1", "command", actor.id, SEEN)
    withdraw(actor=actor, entry=entry, comment="The case was removed from the panel.")
    assert last(here) == ("policy.changed", "withdrawn", f"allowlist_entry:{entry.pk}")
    reject(actor=actor, entry=proposed(here), comment=SEEN)
    assert last(here)[:2] == ("policy.changed", "rejected")


def last(here: Reviews) -> tuple[str, str, str]:
    predicate = here.scene.last_statement()
    return predicate["event"], predicate["decision"]["outcome"], here.scene.receipts()[-1].subject


@pytest.mark.parametrize("decide", [approve, reject])
def test_nobody_reviews_what_she_proposed_herself_or_by_her_service_token(
    here: Reviews, decide: Callable[..., Any]
) -> None:
    actor = reviewer(here)
    token = by_token(actor, service_token(here.scene.organization, "gates:write")).token
    assert token
    token.created_by = actor.id
    token.save(update_fields=["created_by"])
    service = Actor(organization=here.scene.organization, kind="service", auth="token", token=token)
    for entry in (proposed(here, actor), proposed(here, service, case_id="c2")):
        with pytest.raises(Forbidden) as caught:
            decide(actor=actor, entry=entry, comment=SEEN)
        assert caught.value.code == "own_proposal"
        entry.refresh_from_db()
        assert entry.state == State.PROPOSED


def test_a_review_takes_a_person_with_a_fresh_proof(here: Reviews) -> None:
    entry = proposed(here)
    text = service_token(here.scene.organization, "gates:write")
    service = by_token(here.scene.actor, text)
    for actor in (here.scene.actor, service, reviewer(here, "admin")):
        with pytest.raises(Forbidden):
            approve(actor=actor, entry=entry, comment=SEEN)
    assert tolerated(here) == set()


@pytest.mark.parametrize("act", [approve, reject, withdraw])
@pytest.mark.parametrize("state", [State.REJECTED, State.WITHDRAWN])
def test_what_is_decided_stays_decided(here: Reviews, act: Callable[..., Any], state: str) -> None:
    entry = proposed(here)
    AllowlistEntry.objects.filter(pk=entry.pk).update(state=state)
    with pytest.raises(Conflict) as caught:
        act(actor=reviewer(here), entry=entry, comment=SEEN)
    assert (caught.value.code, caught.value.state["state"]) == ("over", state)


def test_a_case_is_proposed_once_until_that_is_decided(here: Reviews) -> None:
    entry = proposed(here)
    with pytest.raises(Conflict) as caught:
        proposed(here)
    assert caught.value.state == {"allowlist_id": entry.pk, "state": "proposed"}
    withdraw(actor=here.scene.actor, entry=entry)
    assert proposed(here).pk != entry.pk


def test_an_entry_past_its_date_cannot_be_approved_and_makes_room(here: Reviews) -> None:
    entry = proposed(here, until=now() + timedelta(hours=1))
    AllowlistEntry.objects.filter(pk=entry.pk).update(until=now() - timedelta(seconds=1))
    with pytest.raises(Conflict) as caught:
        approve(actor=reviewer(here), entry=entry, comment=SEEN)
    assert caught.value.code == "ended"
    again = proposed(here)
    assert [receipt.outcome for receipt in here.scene.receipts()[-2:]] == ["ended", "proposed"]
    entry.refresh_from_db()
    assert (entry.state, again.state) == (State.WITHDRAWN, State.PROPOSED)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"case_id": "c9"}, "case_id"),
        ({"justification": "because"}, "justification"),
        ({"justification": "x" * 40}, "justification"),
        ({"until": now() - timedelta(days=1)}, "until"),
    ],
)
def test_a_proposal_that_breaks_a_rule_changes_nothing(here: Reviews, said: dict[str, Any], field: str) -> None:
    receipts = len(here.scene.receipts())
    with pytest.raises(Invalid) as caught:
        proposed(here, **said)
    assert [error.field for error in caught.value.errors] == [field]
    assert not AllowlistEntry.objects.exists()
    assert len(here.scene.receipts()) == receipts


@pytest.mark.parametrize("comment", [None, "", "   ", "x" * 2001])
def test_a_review_says_something(here: Reviews, comment: object) -> None:
    with pytest.raises(Invalid):
        approve(actor=reviewer(here), entry=proposed(here), comment=comment)
    assert tolerated(here) == set()


def test_an_entry_of_another_organization_is_not_found(here: Reviews, there: Reviews) -> None:
    entry, stranger = proposed(here), reviewer(there)
    for act in (approve, reject, withdraw):
        with pytest.raises(NotFound):
            act(actor=stranger, entry=entry, comment=SEEN)


@pytest.mark.django_db(transaction=True)
def test_of_two_reviewers_at_once_one_decides_and_the_other_is_told() -> None:
    here = reviews(scene("together"))
    entry = proposed(here)
    actors = [reviewer(here), reviewer(here, "release-manager")]
    both, outcomes = threading.Barrier(2), []

    def act(number: int, decide: Callable[..., AllowlistEntry]) -> None:
        try:
            both.wait(timeout=10)
            outcomes.append(str(decide(actor=actors[number], entry=entry, comment=SEEN).state))
        except Conflict as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=act, args=each) for each in ((0, approve), (1, reject))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(outcomes) in (["active", "over"], ["over", "rejected"])
    entry.refresh_from_db()
    assert entry.state in outcomes
