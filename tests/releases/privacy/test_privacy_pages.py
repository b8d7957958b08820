"""Settings → Privacy, and erasing somebody in the browser."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from audit.administration.redactions import set_redactions
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Organization
from relcontrol.clock import now
from relcontrol.web.signin import PROVED_AT
from releases.privacy.erasing import erase
from releases.trace_models import Erasure
from releases.traces.partitions import expire
from tests import factories
from tests.releases.page_visitors import visitor
from tests.releases.traces.samples import stored, trace_row

PRIVACY = "/o/northgate/settings/privacy/"
ERASE = f"{PRIVACY}erase/"
REASON = "Asked for by letter on Monday."
MAIL = {"pattern": r"[\w.]+@[\w.]+", "with": "[mail]"}
WHOM = {"by": "subject", "private_subject": "jane.doe", "reason": REASON}
PAGE_CEILING = 14


@pytest.fixture
def owner(db: None) -> Organization:
    made = factories.organization()
    stored(made, trace_row(1, subject="jane.doe", started_at=now().isoformat()), now=now())
    return made


def browser(owner: Organization, *roles: str, proved: bool = True) -> Client:
    client = visitor(owner, *roles)
    if proved:
        session = client.session
        session[PROVED_AT] = int(now().timestamp())
        session.save()
    return client


def test_whom_one_erases_is_shown_with_what_goes_and_goes_when_it_is_typed_again(owner: Organization) -> None:
    admin = browser(owner, "admin")
    seen = admin.post(ERASE, WHOM)
    assert seen.status_code == 200
    assert "Prompts and answers of requests" in seen.text
    assert not Erasure.objects.exists()
    wrong = admin.post(ERASE, {**WHOM, "sure": "yes", "private_typed": "jane"})
    assert wrong.status_code == 422
    assert "nothing was done" in wrong.text
    assert not Erasure.objects.exists()
    done = admin.post(ERASE, {**WHOM, "sure": "yes", "private_typed": "jane.doe"}, follow=True)
    assert "Erased: the key; 1 × prompts and answers of requests. A receipt records it." in done.text
    assert Erasure.objects.get().gone["traces"] == 1
    assert "jane.doe" not in done.text


def test_a_subject_is_found_by_the_id_of_a_request(owner: Organization) -> None:
    order = {"by": "request", "private_subject": "req-1", "reason": REASON, "sure": "yes", "private_typed": "req-1"}
    assert browser(owner, "admin").post(ERASE, order).status_code == 302
    assert Erasure.objects.get().gone["keys"] == 1


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"private_subject": "nobody"}, "No request of this subject is known"),
        ({"by": "request", "private_subject": "req-9"}, "No request with this id"),
        ({"private_subject": ""}, "required"),
        ({"reason": "Jane.Doe asked"}, "Leave out whom you erase"),
        ({"reason": "no"}, "Say why"),
    ],
)
def test_what_is_wrong_stands_at_its_field(owner: Organization, changes: dict[str, str], complaint: str) -> None:
    answer = browser(owner, "admin").post(ERASE, {**WHOM, **changes})
    assert answer.status_code == 422
    assert complaint in answer.text


def test_without_a_fresh_proof_one_proves_first_and_the_name_does_not_wait_in_the_session(owner: Organization) -> None:
    admin = browser(owner, "admin", proved=False)
    detour = admin.post(ERASE, {**WHOM, "sure": "yes", "private_typed": "jane.doe"})
    assert (detour.status_code, detour.headers["Location"]) == (302, "/step-up")
    waiting = [row.get_decoded() for row in Session.objects.all()]
    assert REASON in str(waiting)
    assert "jane.doe" not in str(waiting)
    assert not Erasure.objects.exists()


@pytest.mark.parametrize("role", ["viewer", "auditor", "release-manager", "domain-owner"])
def test_others_see_the_page_and_may_not_erase_or_change(owner: Organization, role: str) -> None:
    somebody = browser(owner, role)
    page = somebody.get(PRIVACY)
    assert page.status_code == 200
    assert "Erase somebody" not in page.text
    assert "must be administrator" in page.text
    assert [somebody.post(path, {}).status_code for path in (PRIVACY, ERASE, f"{PRIVACY}try")] == [403] * 3


def test_redactions_are_saved_line_by_line_and_empty_lines_are_left_out(owner: Organization) -> None:
    admin = browser(owner, "admin")
    saved = admin.post(PRIVACY, {"pattern": [MAIL["pattern"], "", "a+"], "with": ["[mail]", "", ""]}, follow=True)
    assert "It holds within seconds" in saved.text
    owner.refresh_from_db()
    assert owner.redactions == [MAIL, {"pattern": "a+", "with": ""}]
    assert "[mail]" in admin.get(PRIVACY).text


def test_a_pattern_that_is_none_is_marked_where_it_stands_and_nothing_is_saved(owner: Organization) -> None:
    answer = browser(owner, "admin").post(PRIVACY, {"pattern": ["a", "(b"], "with": ["", ""]})
    assert answer.status_code == 422
    assert 'aria-describedby="pattern-2-error"' in answer.text
    assert "A group is not closed" in answer.text
    assert 'value="(b"' in answer.text
    owner.refresh_from_db()
    assert owner.redactions == []


@pytest.mark.parametrize("headers", [{"HX-Request": "true"}, {}])
def test_a_text_is_tried_without_storing_anything(owner: Organization, headers: dict[str, str]) -> None:
    sent = {"pattern": MAIL["pattern"], "with": "[mail]", "private_sample": "to a@b.c"}
    answer = browser(owner, "admin").post(f"{PRIVACY}try", sent, headers=headers)
    assert "to [mail]" in answer.text
    assert ("<html" in answer.text) is not bool(headers)
    owner.refresh_from_db()
    assert owner.redactions == []


def test_a_form_that_waited_for_the_proof_comes_back_as_it_was(owner: Organization) -> None:
    admin = browser(owner, "admin", proved=False)
    sent: dict[str, Any] = {"pattern": ["one", "two"], "with": ["1", ""], "private_sample": "to jane.doe"}
    assert admin.post(PRIVACY, sent).headers["Location"] == "/step-up"
    back = admin.get(PRIVACY).text
    assert 'value="two"' in back
    assert "to jane.doe" not in back


def test_the_page_says_what_was_kept_and_dropped(owner: Organization) -> None:
    assert "Nothing was old enough yet." in browser(owner, "auditor").get(PRIVACY).text
    expire(now() + timedelta(days=32))
    assert "Last time" in visitor(owner, "auditor", email="second@example.org").get(PRIVACY).text


def test_settings_lead_there(owner: Organization) -> None:
    assert PRIVACY in browser(owner, "viewer").get("/o/northgate/settings/").text


def test_the_list_of_erasures_costs_the_same_at_any_length(owner: Organization) -> None:
    set_redactions(actor=command_actor(owner), redactions=[MAIL])
    admin, counts = browser(owner, "admin"), []
    for number in range(2, 8):
        stored(owner, trace_row(number, subject=f"user-{number}", started_at=now().isoformat()), now=now())
        erase(actor=command_actor(owner), subject=f"user-{number}", reason=REASON)
        with CaptureQueriesContext(connection) as captured:
            assert admin.get(PRIVACY).status_code == 200
        counts.append(len(captured))
    assert max(counts) <= PAGE_CEILING
    assert counts[0] == counts[-1]
