"""The pages of an override: the request, the review, the way that a release may not roll."""

import time
from typing import Any

import pytest
from django.test import Client

from audit.models import ChainCheck
from gates.overrides.deciding import approve
from gates.run_models import Override
from relcontrol.accounts.models import Person
from relcontrol.clock import now
from tests.factories import person
from tests.gates.overrides.scene import COMMENT, REASON, Gate, gate, gate_run, person_actor

BOTH = {"forceGateOverride": "on", "overrideReason": REASON}
TYPED = {"act": "approve", "comment": COMMENT, "typed": "legal-assistant r2"}


def _browser(who: Person, *, fresh: bool = True) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(who)
    if fresh:
        session = client.session
        session["stepped_up_at"] = int(time.time())
        session.save()
    return client


def _request_page(failed: Gate) -> str:
    return f"/o/northgate/releases/{failed.release.pk}/override/"


def _review_page(row: Override) -> str:
    return f"/o/northgate/overrides/{row.pk}/"


def test_the_form_shows_what_failed_and_what_follows(failed: Gate) -> None:
    text = _browser(failed.asker).get(_request_page(failed)).text
    for said in ("IP licensing", "0.41", "0.24 to 0.56", "threshold 0.65", "r1 0.68", "stay in the receipt for ever"):
        assert said in text, said
    assert "One other slice passes." in text


def test_both_fields_ask_for_it_and_lead_to_its_review(failed: Gate) -> None:
    answer = _browser(failed.asker).post(_request_page(failed), BOTH)
    row = Override.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, _review_page(row))
    assert (row.reason, row.requested_by) == (REASON, failed.asker.pk)


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"forceGateOverride": "on"},
        {"overrideReason": REASON},
        {**BOTH, "overrideReason": ""},
        {**BOTH, "overrideReason": "   "},
        {**BOTH, "overrideReason": "too short"},
        {**BOTH, "overrideReason": "x" * 60},
        {**BOTH, "overrideReason": "y" * 4001},
        {**BOTH, "forceGateOverride": "false"},
        {**BOTH, "forceGateOverride": ""},
    ],
)
def test_a_form_without_either_field_records_nothing(failed: Gate, form: dict[str, str]) -> None:
    before = failed.written()
    answer = _browser(failed.asker).post(_request_page(failed), form)
    assert answer.status_code == 422
    assert "field-error" in answer.text
    assert failed.written() == before


def test_asking_needs_a_fresh_proof_and_keeps_what_was_typed(failed: Gate) -> None:
    browser = _browser(failed.asker, fresh=False)
    answer = browser.post(_request_page(failed), BOTH)
    assert (answer.status_code, answer.headers["Location"], Override.objects.count()) == (302, "/step-up", 0)
    assert REASON in browser.get(_request_page(failed)).text


@pytest.mark.parametrize("role", ["viewer", "domain-owner", "auditor", "admin"])
def test_who_may_not_ask_reads_why_in_place_of_the_form(failed: Gate, role: str) -> None:
    browser = _browser(person(failed.organization, role))
    text = browser.get(_request_page(failed)).text
    assert "To request an override one must be release manager" in text
    assert "Ask for the override" not in text
    assert browser.post(_request_page(failed), BOTH).status_code == 403
    assert Override.objects.count() == 0


def test_where_nothing_stops_a_release_there_is_nothing_to_ask(failed: Gate) -> None:
    other = failed.another()
    browser = _browser(failed.asker)
    page = f"/o/northgate/releases/{other.pk}/override/"
    assert "No gate run has judged" in browser.get(page).text
    assert browser.post(page, BOTH).status_code == 409
    gate_run(other, "gate_pass")
    assert "has passed its gate" in browser.get(page).text


def test_a_second_request_leads_to_the_first(failed: Gate) -> None:
    row, browser = failed.requested(), _browser(failed.asker)
    assert _review_page(row) in browser.get(_request_page(failed)).text
    assert browser.post(_request_page(failed), BOTH).status_code == 409


def test_the_review_asks_a_question_and_quotes_the_reason(failed: Gate) -> None:
    text = _browser(failed.approver).get(_review_page(failed.requested())).text
    for said in (
        "May r2 ship although IP licensing failed?",
        REASON,
        "0.41",
        "quality of 0.612 is accepted",
        "knowing that IP licensing failed on agreement at 0.41 of 0.65, proven",
        failed.release.manifest_sha256,
        failed.run.gate_run_sha256,
        'data-must-equal="legal-assistant r2"',
        "A preprocessing mismatch, a broken chain or a tampered manifest.",
    ):
        assert said in text, said


def test_a_second_person_approves_by_typing_the_name(failed: Gate) -> None:
    row = failed.requested()
    answer = _browser(failed.approver).post(_review_page(row), TYPED, follow=True)
    row.refresh_from_db()
    assert (row.state, row.decided_by, row.comment) == ("active", failed.approver.pk, COMMENT)
    assert "a receipt names you both" in answer.text
    assert "Override active" in answer.text


@pytest.mark.parametrize(
    "change",
    [{"typed": ""}, {"typed": "legal-assistant r1"}, {"typed": "Legal-assistant r2"}, {"comment": ""}, {"act": "yes"}],
)
def test_an_approval_that_is_not_meant_changes_nothing(failed: Gate, change: dict[str, str]) -> None:
    row = failed.requested()
    before = failed.written()
    answer = _browser(failed.approver).post(_review_page(row), TYPED | change)
    assert (answer.status_code, failed.written()) == (422, before)


def test_a_rejection_needs_words_and_no_typing(failed: Gate) -> None:
    row, browser = failed.requested(), _browser(failed.approver)
    assert browser.post(_review_page(row), {"act": "reject", "comment": "no"}).status_code == 422
    browser.post(_review_page(row), {"act": "reject", "comment": "Not before the router blocks them."})
    row.refresh_from_db()
    assert row.state == "rejected"


def test_deciding_needs_a_fresh_proof_and_keeps_the_comment(failed: Gate) -> None:
    row, browser = failed.requested(), _browser(failed.approver, fresh=False)
    for act in ("approve", "reject"):
        answer = browser.post(_review_page(row), TYPED | {"act": act})
        assert (answer.status_code, answer.headers["Location"]) == (302, "/step-up")
        assert act in browser.get("/step-up").text
        assert COMMENT in browser.get(_review_page(row)).text
    row.refresh_from_db()
    assert row.state == "pending_approval"


def test_the_requester_reads_why_and_may_withdraw(failed: Gate) -> None:
    row, browser = failed.requested(), _browser(failed.asker)
    text = browser.get(_review_page(row)).text
    assert "you asked for it yourself" in text
    assert "Approve override" not in text
    assert "Withdraw the request" in text
    assert browser.post(_review_page(row), TYPED).status_code == 403
    browser.post(_review_page(row), {"act": "withdraw", "comment": "Not needed."})
    row.refresh_from_db()
    assert row.state == "withdrawn"


@pytest.mark.parametrize("role", ["viewer", "domain-owner", "auditor", "admin"])
def test_other_roles_read_why_they_may_not_decide(failed: Gate, role: str) -> None:
    row, browser = failed.requested(), _browser(person(failed.organization, role))
    text = browser.get(_review_page(row)).text
    assert "To approve an override one must be release manager" in text
    assert "Approve override" not in text
    assert browser.post(_review_page(row), TYPED).status_code == 403


def test_a_decision_that_comes_too_late_shows_the_fresh_state(failed: Gate) -> None:
    row, browser = failed.requested(), _browser(failed.approver)
    Override.objects.filter(pk=row.pk).update(expires_at=now())
    answer = browser.post(_review_page(row), TYPED)
    assert answer.status_code == 409
    assert "Override expired" in answer.text
    assert "was not decided in time" in answer.text


def test_a_broken_chain_is_said_on_the_review(failed: Gate) -> None:
    row = failed.requested()
    ChainCheck.objects.update(problem="seq 3", checked_at=now())
    browser = _browser(failed.approver)
    assert "does not verify at its last check" in browser.get(_review_page(row)).text
    assert browser.post(_review_page(row), TYPED).status_code == 409


def test_a_reason_is_shown_as_text(failed: Gate) -> None:
    script = "<script>alert(1)</script> because the clients need it"
    text = _browser(failed.approver).get(_review_page(failed.requested(reason=script))).text
    assert "<script>alert(1)</script>" not in text
    assert "&lt;script&gt;" in text


def test_another_organization_finds_no_review(failed: Gate) -> None:
    row, east = failed.requested(), gate("eastgate")
    browser = _browser(east.approver)
    assert browser.get(_review_page(row)).status_code == 404
    assert browser.get(f"/o/eastgate/overrides/{row.pk}/").status_code == 404
    assert browser.get(f"/o/eastgate/releases/{failed.release.pk}/override/").status_code == 404
    assert browser.get(f"/o/eastgate/releases/{failed.release.pk}/roll/").status_code == 404


@pytest.mark.parametrize("page", ["override", "roll"])
def test_pages_of_a_release_take_no_other_method(failed: Gate, page: str) -> None:
    assert _browser(failed.asker).put(f"/o/northgate/releases/{failed.release.pk}/{page}/").status_code == 405


def test_a_failed_release_shows_why_it_does_not_roll_and_a_post_says_the_same(failed: Gate) -> None:
    browser, page = _browser(failed.asker), f"/o/northgate/releases/{failed.release.pk}/roll/"
    shown, sent = browser.get(page), browser.post(page)
    assert (shown.status_code, sent.status_code) == (200, 409)
    for answer in (shown, sent):
        assert "no way of deploying takes it" in answer.text
        assert "legal-assistant r2 may not roll out" in answer.text
    assert _request_page(failed) in shown.text


def test_an_overridden_release_may_start_and_says_what_is_still_missing(failed: Gate) -> None:
    decider = person_actor(failed.organization, failed.approver)
    approve(actor=decider, override=failed.requested(), comment=COMMENT)
    browser, page = _browser(failed.asker), f"/o/northgate/releases/{failed.release.pk}/roll/"
    assert "the start uses it up" in browser.get(page).text
    answer: Any = browser.post(page)
    assert (answer.status_code, "No gateway has reported" in answer.text) == (409, True)


def test_rolling_by_form_takes_the_role(failed: Gate) -> None:
    browser = _browser(person(failed.organization, "viewer"))
    page = f"/o/northgate/releases/{failed.release.pk}/roll/"
    assert (browser.get(page).status_code, browser.post(page).status_code) == (200, 403)


def test_the_release_lists_its_overrides_as_they_are_now(failed: Gate) -> None:
    row, browser = failed.requested(), _browser(failed.asker)
    page = f"/o/northgate/releases/{failed.release.pk}?tab=overrides"
    text = browser.get(page).text
    assert "Waiting" in text
    assert REASON in text
    assert _review_page(row) in text
    Override.objects.filter(pk=row.pk).update(expires_at=now())
    assert "Expired" in browser.get(page).text


def test_a_release_without_one_says_so(failed: Gate) -> None:
    text = _browser(failed.asker).get(f"/o/northgate/releases/{failed.another().pk}?tab=overrides").text
    assert "Nobody has asked that this release may roll against its gate." in text
