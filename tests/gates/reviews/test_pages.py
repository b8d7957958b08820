"""Pages of reviews: both answers and the reasons, a fresh proof before a decision, and why somebody may not decide."""

import html
import re
import time
from typing import Any

import pytest
from django.test import Client

from gates.reviews.allowlist import propose
from gates.run_models import AllowlistEntry, GateRun, SignOff
from relcontrol.accounts.models import Person
from relcontrol.web.signin import PROVED_AT
from tests.factories import person
from tests.gates.reviews.scene import REASON, TWO_REVIEWS, Reviews, held_run, missing_entry, with_answers

WHY = "The old answer was graded too high; the panel agreed on this on 3 November."
SEEN = "Read both answers; the new one is right."
ALLOWLIST = "/o/northgate/gate/allowlist/"
PROPOSAL = {"suite": "legal-v3", "case_id": "c1", "justification": WHY}


def browser(who: Person, *, proved: bool = True) -> Client:
    client = Client()
    client.force_login(who)
    if proved:
        session = client.session
        session[PROVED_AT] = int(time.time())
        session.save()
    return client


def visitor(here: Reviews, *roles: str) -> Client:
    return browser(person(here.scene.organization, *roles))


def text_of(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def page_of(run: GateRun) -> str:
    return f"/o/northgate/gate/{run.pk}/sign-off/"


def entry_of(here: Reviews) -> AllowlistEntry:
    return propose(actor=here.scene.actor, suite=here.suite, case_id="c1", justification=WHY)


def test_the_sign_off_shows_reasons_both_answers_and_what_it_does_not_lift(here: Reviews) -> None:
    before, run = held_run(here, manifest_sha256="c" * 64), held_run(here, *TWO_REVIEWS, missing_entry("tax"))
    with_answers(here, run, before)
    page = text_of(visitor(here, "domain-owner").get(page_of(run)))
    for shown in (
        "2 reviews of r128 wait for a person.",
        "ip licensing: agreement",
        "tokens came to review.",
        "Not as it is written.",
        "Yes, in most cases.",
        "90.0 → 50.0",
        "What a sign-off does not lift",
        "No results.",
    ):
        assert shown in page


def test_a_reason_and_the_items_sign_off(here: Reviews) -> None:
    run, client = held_run(here), visitor(here, "domain-owner")
    answer = client.post(page_of(run), {"reason": REASON, "items": ["limit:tokens"]}, follow=True)
    assert "1 more wait" in text_of(answer)
    answer = client.post(page_of(run), {"reason": REASON, "items": ["slice:ip-licensing:agreement"]}, follow=True)
    assert "r128 counts as passed" in text_of(answer)
    assert "Every review of this gate run is signed off." in text_of(answer)
    assert REASON in text_of(answer)
    assert here.scene.last_statement()["actor"]["auth"] == "session"


def test_a_sign_off_of_a_run_that_stays_held_says_so(here: Reviews) -> None:
    run = held_run(here, *TWO_REVIEWS, missing_entry("tax"))
    both = {"reason": REASON, "items": ["limit:tokens", "slice:ip-licensing:agreement"]}
    assert "stays held" in text_of(visitor(here, "domain-owner").post(page_of(run), both, follow=True))


def test_a_sign_off_waits_for_a_fresh_proof_and_keeps_the_reason(here: Reviews) -> None:
    run = held_run(here)
    client = browser(person(here.scene.organization, "domain-owner"), proved=False)
    answer = client.post(page_of(run), {"reason": REASON, "items": ["limit:tokens"]})
    assert (answer.status_code, answer["Location"]) == (302, "/step-up")
    assert not SignOff.objects.exists()
    page = client.get(page_of(run))
    assert REASON in text_of(page)
    ticked = [tag for tag in re.findall("<input[^>]*>", text_of(page)) if "checked" in tag]
    assert len(ticked) == 1
    assert "limit:tokens" in ticked[0]


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({"reason": "short", "items": ["limit:tokens"]}, "20 characters"),
        ({"reason": REASON}, "This field is required"),
        ({"reason": REASON, "items": ["limit:parity"]}, "Select a valid choice"),
    ],
)
def test_a_form_that_breaks_a_rule_comes_back_with_the_reason(here: Reviews, sent: Any, says: str) -> None:
    answer = visitor(here, "domain-owner").post(page_of(held_run(here)), sent)
    assert answer.status_code == 422
    assert says in text_of(answer)
    assert not SignOff.objects.exists()


def test_who_may_not_sign_off_reads_why_in_place_of_the_form(here: Reviews) -> None:
    member = person(here.scene.organization, "domain-owner")
    own, other = held_run(here, requested_by=member.pk, manifest_sha256="c" * 64), held_run(here)
    assert "you asked for it yourself" in text_of(browser(member).get(page_of(own)))
    assert browser(member).post(page_of(own), {"reason": REASON, "items": ["limit:tokens"]}).status_code == 403
    viewer = visitor(here, "viewer")
    assert "To sign off what a gate left for review one must be" in text_of(viewer.get(page_of(other)))
    assert viewer.post(page_of(other), {"reason": REASON}).status_code == 403
    assert not SignOff.objects.exists()


def test_a_case_is_proposed_with_what_the_address_names(here: Reviews) -> None:
    client = visitor(here, "domain-owner")
    page = text_of(client.get(f"{ALLOWLIST}?suite=legal-v3&case_id=c1"))
    assert 'value="c1"' in page
    assert "No case is tolerated" in page
    answer = client.post(ALLOWLIST, PROPOSAL | {"until": "2036-02-29"}, follow=True)
    assert "Nothing is tolerated before somebody else has approved it." in text_of(answer)
    entry = AllowlistEntry.objects.get()
    assert entry.until
    assert entry.until.isoformat() == "2036-02-29T23:59:59+00:00"
    assert "Waiting for review" in text_of(client.get(ALLOWLIST))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"suite": "nowhere"}, "There is no suite nowhere"),
        ({"case_id": "c9"}, "has no case"),
        ({"justification": "short"}, "20 characters"),
        ({"until": "2020-01-01"}, "Must be in the future"),
    ],
)
def test_a_proposal_that_breaks_a_rule_comes_back_with_the_reason(here: Reviews, wrong: Any, says: str) -> None:
    answer = visitor(here, "domain-owner").post(ALLOWLIST, PROPOSAL | wrong)
    assert answer.status_code == 422
    assert says in text_of(answer)
    assert not AllowlistEntry.objects.exists()


@pytest.mark.parametrize(
    ("act", "state", "says"),
    [
        ("approve", "active", "The case is tolerated from now on."),
        ("reject", "rejected", "The entry is rejected"),
        ("withdraw", "withdrawn", "The entry is withdrawn"),
    ],
)
def test_a_reviewer_decides_on_an_entry(here: Reviews, act: str, state: str, says: str) -> None:
    entry = entry_of(here)
    answer = visitor(here, "release-manager").post(
        f"{ALLOWLIST}{entry.pk}/", {"comment": SEEN, "act": act}, follow=True
    )
    assert says in text_of(answer)
    entry.refresh_from_db()
    assert entry.state == state


def test_a_review_without_a_comment_or_an_act_changes_nothing(here: Reviews) -> None:
    entry, client = entry_of(here), visitor(here, "release-manager")
    for sent in ({"comment": "", "act": "approve"}, {"comment": SEEN, "act": "x"}, {}):
        assert client.post(f"{ALLOWLIST}{entry.pk}/", sent).status_code == 422
    entry.refresh_from_db()
    assert entry.state == "proposed"


def test_an_approval_waits_for_a_fresh_proof(here: Reviews) -> None:
    client = browser(person(here.scene.organization, "domain-owner"), proved=False)
    path = f"{ALLOWLIST}{entry_of(here).pk}/"
    assert client.post(path, {"comment": SEEN, "act": "approve"})["Location"] == "/step-up"
    assert AllowlistEntry.objects.get().state == "proposed"
    assert SEEN in text_of(client.get(path))


def test_the_proposer_reads_why_she_may_not_review_and_may_withdraw(here: Reviews) -> None:
    member = person(here.scene.organization, "domain-owner")
    client = browser(member)
    client.post(ALLOWLIST, PROPOSAL)
    path = f"{ALLOWLIST}{AllowlistEntry.objects.get().pk}/"
    page = text_of(client.get(path))
    assert "you asked for it yourself" in page
    assert 'value="approve"' not in page
    assert client.post(path, {"comment": SEEN, "act": "approve"}).status_code == 403
    assert client.post(path, {"comment": SEEN, "act": "withdraw"}).status_code == 302


def test_an_entry_shows_why_and_how_the_case_fell(here: Reviews) -> None:
    entry = entry_of(here)
    before, run = held_run(here, manifest_sha256="c" * 64), held_run(here)
    with_answers(here, run, before)
    page = text_of(visitor(here, "viewer").get(f"{ALLOWLIST}{entry.pk}/"))
    for shown in (WHY, "May affiliates use the licence?", "r128", "40.0", "To define slices and suites"):
        assert shown in page


def test_pages_are_not_found_by_outsiders_and_ask_strangers_to_sign_in(here: Reviews, there: Reviews) -> None:
    outsider = visitor(there, "release-manager")
    for path in (page_of(held_run(here)), ALLOWLIST, f"{ALLOWLIST}{entry_of(here).pk}/"):
        assert outsider.get(path).status_code == 404
        assert Client().get(path).status_code == 302
