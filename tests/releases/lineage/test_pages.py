"""The pages of lineage: one form for both questions, the answer as a sentence, and who may read what."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from gates.runs.selectors import deciding_run
from relcontrol.clock import now
from releases.measuring.feedback import record
from releases.models import Release
from tests import factories
from tests.releases.canary import Canary
from tests.releases.lineage.answers import told
from tests.releases.lineage.walked import WHY, Walked
from tests.releases.page_visitors import visitor
from tests.releases.pages_roll.test_rollout_page import text_of

URL = "/o/northgate/lineage/"
SCRIPT = "<script>alert(1)</script>"
QUERIES = 45


@pytest.fixture
def auditor(here: Canary) -> Client:
    """The browser of somebody who may read what was said."""
    return visitor(here.organization, "auditor")


@pytest.fixture
def viewer(here: Canary) -> Client:
    """The browser of somebody who may see the organization."""
    return visitor(here.organization, "viewer")


def asked(client: Client, **query: str) -> Any:
    answer = client.get(URL, query)
    assert answer.status_code == 200, answer.content
    return answer


def test_before_anything_is_asked_the_page_says_where_ids_are_and_the_command(auditor: Client) -> None:
    answer = asked(auditor)
    text = text_of(answer)
    assert "Ask about one answer, or about a time" in text
    assert "relctl lineage REQUEST_ID" in text
    assert 'href="/o/northgate/traces/"' in answer.text


@pytest.mark.parametrize("key", ["req-1", f"{1:032x}", f"{1:032X}"])
def test_an_id_of_a_request_or_a_trace_leads_to_what_made_the_answer(here: Canary, auditor: Client, key: str) -> None:
    told(here, 1, here.stable)
    answer = auditor.get(URL, {"q": key})
    assert answer.status_code == 302
    assert answer.headers["Location"].partition("?")[0] == f"{URL}req-1/"
    assert auditor.get(answer.headers["Location"]).status_code == 200


def test_a_conversation_is_a_list_of_its_answers(here: Canary, auditor: Client) -> None:
    told(here, 1, here.stable, now() - timedelta(seconds=9), subject="conversation-7")
    told(here, 2, here.stable, subject="conversation-7")
    told(here, 3, here.stable, subject="conversation-8")
    page = asked(auditor, q="conversation-7").text
    assert page.index(f"{URL}req-2/") < page.index(f"{URL}req-1/")
    assert f"{URL}req-3/" not in page


def test_what_is_no_id_at_all_is_not_found_and_can_be_cleared(auditor: Client) -> None:
    text = text_of(asked(auditor, q="nobody"))
    assert "No answer is known by this" in text
    assert "Clear" in text


def test_what_served_at_a_time_is_one_sentence_with_who_approved_it(route: Walked, auditor: Client) -> None:
    second, third = route.servings
    between = third.since - timedelta(seconds=1)
    answer = asked(auditor, route=route.canary.route.pk, at=f"{between:%Y-%m-%dT%H:%M:%S}")
    text = text_of(answer)
    assert f"r2 served domain legal on {between:%-d %B %Y} at {between:%H:%M:%S} UTC." in text
    assert "From verified receipts" in text
    assert "release-manager started its rollout" in text
    assert f"/o/northgate/audit/receipts/{second.receipt_hash}" in answer.text
    assert "Beside it r3" in text
    assert "Rollout completed: what ended it" in text
    assert "answered 100 % as a candidate" in text


def test_after_a_rollback_it_says_who_rolled_back_and_why(route: Walked, auditor: Client) -> None:
    row = route.back()
    later = row.decided_at + timedelta(seconds=1)
    text = text_of(asked(auditor, route=route.canary.route.pk, at=f"{later:%Y-%m-%dT%H:%M:%S}"))
    assert "r2 served domain legal" in text
    assert WHY in text
    assert "release-manager rolled the route back to it" in text


def test_where_nothing_served_it_says_so(route: Walked, auditor: Client) -> None:
    text = text_of(asked(auditor, route=route.canary.route.pk, at="2020-01-01T00:00:00"))
    assert "domain legal served nothing on 1 January 2020 at 00:00:00 UTC, by the receipts." in text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"route": "", "at": ""}, "Choose the route"),
        ({"route": "{route}"}, "Say when"),
        ({"at": "2020-01-01T00:00:00"}, "Choose the route"),
        ({"route": "{route}", "at": "noon"}, "Write a time of UTC"),
        ({"route": "rte_elsewhere", "at": "2020-01-01T00:00:00"}, "not one of the available choices"),
        ({"q": "x" * 2001}, "at most 2000 characters"),
    ],
)
def test_half_a_question_is_marked_and_nothing_is_answered(
    here: Canary, auditor: Client, query: dict[str, str], said: str
) -> None:
    given = {name: value.format(route=here.route.pk) for name, value in query.items()}
    answer = auditor.get(URL, given)
    assert answer.status_code == 422
    assert said in answer.text
    assert "What served</h2>" not in answer.text


def test_one_page_says_everything_that_made_an_answer(route: Walked, auditor: Client) -> None:
    told(route.canary, 1, route.third, now())
    record(actor=route.canary.manager, request_id="req-1", kind="label", name="grade_5", value=2)
    record(actor=route.canary.manager, request_id="req-1", kind="label", value="wrong clause")
    answer = auditor.get(f"{URL}req-1/")
    text = text_of(answer)
    assert "r3 answered; release-manager started its rollout." in text
    assert "templates/legal-qa@v15" in text
    assert "Against the last good release r2" in text
    assert "What was judged" in text or "No gate run says" in text
    assert "graded 0.25 of 1" in text
    assert "wrong clause" in text
    assert f"/o/northgate/gate/{gate_of(route.third)}/" in answer.text
    assert "/o/northgate/traces/req-1/" in answer.text


def gate_of(release: Release) -> str:
    run = deciding_run(release.organization, release.manifest_sha256)
    assert run
    return run.pk


def test_a_value_from_the_future_is_the_headline(here: Canary, auditor: Client) -> None:
    at = now() - timedelta(seconds=1)
    features = [{"name": "next_bill", "as_of": (at + timedelta(hours=3)).isoformat()}]
    told(here, 1, here.stable, at, metadata={"features": features})
    text = text_of(auditor.get(f"{URL}req-1/"))
    assert "r1 answered with a value that it should not have had: next_bill." in text
    assert "From the future next_bill is from the future: it describes 3 h after the request." in text


def test_another_fingerprint_than_was_judged_is_the_headline(here: Canary, auditor: Client) -> None:
    told(here, 1, here.stable, fingerprint="c" * 64)
    assert "r1 is named, but what answered is not what was judged." in text_of(auditor.get(f"{URL}req-1/"))


def test_feature_values_and_what_was_said_are_not_shown_to_everybody(here: Canary, viewer: Client) -> None:
    told(here, 1, here.stable, metadata={"features": [{"name": "secret_feature"}]})
    record(actor=here.manager, request_id="req-1", kind="label", value="secret label")
    for path in (f"{URL}req-1/", "/o/northgate/traces/req-1/"):
        text = text_of(viewer.get(path))
        assert "To read and export receipts one must be" in text
        assert "secret" not in text


def test_the_page_of_the_request_shows_what_was_said_and_leads_here(here: Canary, auditor: Client) -> None:
    told(here, 1, here.stable)
    record(actor=here.manager, request_id="req-1", kind="thumb", value=-1)
    answer = auditor.get("/o/northgate/traces/req-1/")
    assert f'href="{URL}req-1/"' in answer.text
    assert "A thumb down release-manager" in text_of(answer)


def test_the_audit_explorer_and_the_menu_lead_here(here: Canary, auditor: Client) -> None:
    assert auditor.get("/o/northgate/audit/").text.count(f'href="{URL}"') == 2


def test_an_answer_of_no_known_release_has_a_page(here: Canary, auditor: Client) -> None:
    told(here, 1, here.stable, release=None, fingerprint=None)
    told(here, 2, here.stable, release="d" * 64)
    assert "names no release" in text_of(auditor.get(f"{URL}req-1/"))
    assert "only its digest is known" in text_of(auditor.get(f"{URL}req-2/"))


def test_whatever_a_client_sends_is_shown_and_never_run(here: Canary, auditor: Client) -> None:
    strange = f"a/b?c#d {SCRIPT}"
    told(here, 1, here.stable, request_id=strange, metadata={"features": [{"name": SCRIPT}]}, subject=SCRIPT)
    url = reverse("lineage-request", kwargs={"organization": "northgate", "request_id": strange})
    for page in (auditor.get(url).text, asked(auditor, q=SCRIPT).text):
        assert SCRIPT not in page
        assert escape(SCRIPT) in page


@pytest.mark.parametrize("key", ["req-2", "%00", "req-1/more"])
def test_a_request_that_nobody_told_of_is_not_there(here: Canary, auditor: Client, key: str) -> None:
    told(here, 1, here.stable)
    assert auditor.get(f"{URL}{key}/").status_code == 404


def test_another_organization_finds_nothing(here: Canary, auditor: Client) -> None:
    told(here, 1, here.stable)
    other = visitor(factories.organization("southgate"), "auditor")
    assert other.get("/o/southgate/lineage/req-1/").status_code == 404
    assert other.get("/o/southgate/lineage/", {"q": "req-1"}).status_code == 200
    assert other.get(URL).status_code == 404


@pytest.mark.parametrize("path", ["", "req-1/"])
def test_the_pages_take_no_other_method(here: Canary, auditor: Client, path: str) -> None:
    told(here, 1, here.stable)
    assert auditor.post(URL + path).status_code == 405


def test_they_cost_the_same_at_any_length(route: Walked, auditor: Client, django_assert_max_num_queries: Any) -> None:
    told(route.canary, 1, route.third, now())
    at = f"{now():%Y-%m-%dT%H:%M:%S}"
    with django_assert_max_num_queries(QUERIES) as request_page:
        auditor.get(f"{URL}req-1/")
    with django_assert_max_num_queries(QUERIES) as time_page:
        asked(auditor, route=route.canary.route.pk, at=at)
    few = len(request_page), len(time_page)
    for number in range(2, 15):
        told(route.canary, number, route.third, now() + timedelta(microseconds=number), request_id="req-1")
        record(actor=route.canary.manager, request_id="req-1", kind="score", name=f"s{number}", value=1)
    with django_assert_max_num_queries(few[0] + 2):
        auditor.get(f"{URL}req-1/")
    with django_assert_max_num_queries(few[1]):
        asked(auditor, route=route.canary.route.pk, at=at)
