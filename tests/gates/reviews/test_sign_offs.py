"""Signing off: by another person, lately proved, once, for reviews alone, with a receipt that verifies."""

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from gates.reviews.sign_offs import everything_signed, open_reviews, sign_off, signed_runs
from gates.run_models import GateRun, SignOff
from relcontrol.accounts.actors import command_actor
from relcontrol.clock import now
from relcontrol.errors import Conflict, Forbidden, Invalid, NotFound
from tests.factories import application, organization, person_token, service_token
from tests.gates.reviews.scene import (
    REASON,
    TWO_REVIEWS,
    Reviews,
    by_token,
    held_run,
    limit,
    missing_entry,
    reviewer,
    reviews,
    slice_entry,
)
from tests.gates.scene import scene

ITEMS = ["slice:ip-licensing:agreement", "limit:tokens"]


def refused(code: str, **asked: Any) -> str:
    before = SignOff.objects.count()
    with pytest.raises((Conflict, Forbidden)) as caught:
        sign_off(**({"reason": REASON} | asked))
    assert caught.value.code == code
    assert SignOff.objects.count() == before
    return caught.value.detail


def test_without_items_everything_open_is_signed_and_the_run_counts_as_passed(here: Reviews) -> None:
    run = held_run(here)
    assert (open_reviews(run), everything_signed(run)) == (ITEMS, False)
    signed = sign_off(actor=reviewer(here), run=run, reason=f"  {REASON} ")
    assert (signed.items, signed.reason) == (ITEMS, REASON)
    assert (open_reviews(run), everything_signed(run)) == ([], True)


def test_the_receipt_names_the_release_the_items_the_policy_and_the_reason(here: Reviews) -> None:
    run, actor = held_run(here), reviewer(here)
    sign_off(actor=actor, run=run, reason=REASON)
    predicate = here.scene.last_statement()
    assert predicate["event"] == "gate.signed_off"
    assert predicate["release"] == {"manifest_sha256": run.manifest_sha256, "id": None, "route": None}
    assert predicate["weights"]["reason"] == "no-weights-digest"
    decision = predicate["decision"]
    assert decision["policy"]["sha256"] == run.policy["sha256"]
    named = [(entry["metric"], entry["slice"], entry["verdict"]) for entry in decision["inputs"]]
    assert named == [("agreement", "ip-licensing", "review"), ("tokens", None, "review")]
    receipt = here.scene.receipts()[-1]
    assert (receipt.subject, receipt.application) == ("release:r128", "legal-assistant")
    opened: Any = receipt.openings.get(field="state").value
    expected = {"run": run.pk, "number": 1, "items": ITEMS, "reason": REASON, "by": actor.id}
    assert opened == {**expected, "gate_run_sha256": run.gate_run_sha256}


def test_two_people_sign_one_item_each(here: Reviews) -> None:
    run = held_run(here)
    sign_off(actor=reviewer(here), run=run, reason=REASON, items=["limit:tokens"])
    assert open_reviews(run) == ITEMS[:1]
    assert not everything_signed(run)
    sign_off(actor=reviewer(here, "release-manager"), run=run, reason=REASON)
    assert everything_signed(run)


def test_what_is_signed_cannot_be_signed_again(here: Reviews) -> None:
    run, actor = held_run(here), reviewer(here)
    sign_off(actor=actor, run=run, reason=REASON, items=["limit:tokens"])
    refused("nothing_to_sign_off", actor=actor, run=run, items=["limit:tokens"])
    refused("nothing_to_sign_off", actor=actor, run=run, items=ITEMS)
    sign_off(actor=actor, run=run, reason=REASON)
    refused("nothing_to_sign_off", actor=actor, run=run)


@pytest.mark.parametrize("item", ["limit:parity", "slice:ip-licensing:quality", "slice:ip-licensing", ""])
def test_an_item_that_was_not_left_for_review_is_refused(here: Reviews, item: str) -> None:
    with pytest.raises(Invalid, match="was not left for review"):
        sign_off(actor=reviewer(here), run=held_run(here), reason=REASON, items=[item])
    assert not SignOff.objects.exists()


@pytest.mark.parametrize("reason", [None, 1, "", " " * 30, "because", "x" * 40, "ok " * 20, "y" * 5000])
def test_a_reason_that_says_nothing_is_refused(here: Reviews, reason: object) -> None:
    with pytest.raises(Invalid) as caught:
        sign_off(actor=reviewer(here), run=held_run(here), reason=reason)
    assert [error.field for error in caught.value.errors] == ["reason"]
    assert not SignOff.objects.exists()


def test_nobody_signs_off_a_run_that_she_asked_for(here: Reviews) -> None:
    actor = reviewer(here)
    run = held_run(here, requested_by=actor.id)
    assert "you asked for it yourself" in refused("own_run", actor=actor, run=run)
    own = by_token(actor, person_token(here.scene.organization, actor.person))  # type: ignore[arg-type]  # a person's
    refused("own_run", actor=own, run=run)


def test_a_run_asked_for_by_a_service_token_counts_as_its_makers(here: Reviews) -> None:
    actor = reviewer(here)
    token = by_token(actor, service_token(here.scene.organization, "gates:write")).token
    assert token
    run = held_run(here, requested_by=token.pk)
    token.created_by = actor.id
    token.save(update_fields=["created_by"])
    assert "a service token that you made" in refused("own_run", actor=actor, run=run)
    sign_off(actor=reviewer(here, "release-manager"), run=run, reason=REASON)


def test_a_token_that_the_asker_made_for_somebody_else_counts_as_hers(here: Reviews) -> None:
    asker, other = reviewer(here), reviewer(here, "release-manager")
    acting = by_token(other, person_token(here.scene.organization, other.person))  # type: ignore[arg-type]  # a person's
    assert acting.token
    acting.token.created_by = asker.id
    refused("own_run", actor=acting, run=held_run(here, requested_by=asker.id))


def test_a_proof_must_be_fresh(here: Reviews) -> None:
    run, actor = held_run(here), reviewer(here)
    refused("proof_needed", actor=replace(actor, proved_at=None), run=run)
    refused("proof_needed", actor=replace(actor, proved_at=now() - timedelta(minutes=11)), run=run)
    text = person_token(here.scene.organization, actor.person)  # type: ignore[arg-type]  # a person's
    refused("stale_token", actor=by_token(actor, text, hours_old=13), run=run)
    sign_off(actor=by_token(actor, text, hours_old=11), run=run, reason=REASON)


def test_only_people_with_the_role_sign_off(here: Reviews) -> None:
    run = held_run(here)
    for actor in (reviewer(here, "admin", "auditor"), reviewer(here, "viewer"), command_actor(here.scene.organization)):
        with pytest.raises(Forbidden):
            sign_off(actor=actor, run=run, reason=REASON)
    assert not SignOff.objects.exists()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"dry_run": True}, "dry run"),
        ({"state": "running", "verdict": "", "document": None}, "has no verdict yet"),
        ({"verdict": "gate_fail"}, "no sign-off lifts"),
        ({"verdict": "gate_pass"}, "has passed"),
        ({"document": {"slices": [missing_entry("ip")], "floors": [], "limits": []}}, "left nothing for review"),
    ],
)
def test_a_run_that_leaves_nothing_to_sign_off_says_why(here: Reviews, changes: dict[str, Any], says: str) -> None:
    assert says in refused("nothing_to_sign_off", actor=reviewer(here), run=held_run(here, **changes))


def test_only_the_newest_run_of_a_release_is_signed_off(here: Reviews) -> None:
    old, actor = held_run(here), reviewer(here)
    newest = held_run(here)
    held_run(here, dry_run=True)
    held_run(here, state="error", verdict="", document=None)
    held_run(here, manifest_sha256="c" * 64)
    assert "Gate run 2 of this release is newer" in refused("nothing_to_sign_off", actor=actor, run=old)
    sign_off(actor=actor, run=newest, reason=REASON)


def test_a_sign_off_does_not_lift_what_is_insufficient(here: Reviews) -> None:
    run = held_run(here, *TWO_REVIEWS, missing_entry("tax"))
    sign_off(actor=reviewer(here), run=run, reason=REASON)
    assert open_reviews(run) == []
    assert not everything_signed(run)


def test_many_runs_are_told_apart_in_two_queries(here: Reviews, django_assert_num_queries: Any) -> None:
    signed, half, passed = held_run(here), held_run(here, manifest_sha256="c" * 64), held_run(here, verdict="gate_pass")
    SignOff.objects.create(run=half, items=ITEMS[:1], reason=REASON, signed_by="prn_x", signed_at=now())
    for item in ITEMS:
        SignOff.objects.create(run=signed, items=[item], reason=REASON, signed_by="prn_x", signed_at=now())
    with django_assert_num_queries(2):
        assert signed_runs([signed, half, passed]) == {signed.pk}
    with django_assert_num_queries(0):
        assert signed_runs([passed]) == set()


def test_a_run_of_another_organization_is_not_found(here: Reviews) -> None:
    elsewhere = organization("elsewhere")
    application(elsewhere)
    stranger = reviewer(replace(here, scene=replace(here.scene, organization=elsewhere)))
    with pytest.raises(NotFound):
        sign_off(actor=stranger, run=held_run(here), reason=REASON)


@pytest.mark.django_db(transaction=True)
def test_of_two_reviewers_at_once_one_signs_and_the_other_is_told() -> None:
    here = reviews(scene("together"))
    run = held_run(here, slice_entry("ip-licensing", "review"), limits=(limit("tokens", "pass"),))
    actors = [reviewer(here), reviewer(here, "release-manager")]
    both, outcomes = threading.Barrier(2), []

    def act(number: int) -> None:
        try:
            both.wait(timeout=10)
            sign_off(actor=actors[number], run=run, reason=REASON)
            outcomes.append("signed")
        except Conflict as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=act, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(outcomes) == ["nothing_to_sign_off", "signed"]
    assert SignOff.objects.filter(run__in=GateRun.objects.filter(pk=run.pk)).count() == 1
    assert here.scene.last_statement()["event"] == "gate.signed_off"
