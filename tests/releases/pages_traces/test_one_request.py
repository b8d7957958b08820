"""The page of one request: what was asked and answered, by whom, on which slice; and who may read what was said."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from gates.slices.services import create_slice
from relcontrol.clock import now
from releases.rollout_models import ReplayPair, Rollout
from releases.trace_models import SubjectKey, Trace
from releases.traces.bodies import seal_body
from tests import factories
from tests.releases.page_visitors import visitor
from tests.releases.pages_roll import scene as roll
from tests.releases.pages_roll.test_rollout_page import text_of
from tests.releases.pages_traces.requests import assign, told
from tests.releases.scene import Scene
from tests.releases.traces.samples import stored, trace_row

pytestmark = pytest.mark.django_db
URL = "/o/northgate/traces/req-1/"
SCRIPT = "<script>alert(1)</script>"
QUERIES = 24


def in_canary(northgate: Scene, **changes: Any) -> Rollout:
    """A request that the candidate of a running rollout answered."""
    row = roll.rollout(northgate)
    told(northgate, 1, release=row.release.manifest_sha256, rollout=row.pk, **changes)
    return row


def test_who_may_read_the_audit_reads_prompt_answer_and_what_answered(auditor: Client, northgate: Scene) -> None:
    row = in_canary(northgate)
    answer = auditor.get(URL)
    text = text_of(answer)
    assert "r2 answered in 900 ms." in text
    assert "system Answer briefly. user May affiliates use it?" in text
    assert "What was answered r2 Candidate Answered Yes. 900 ms, 2 tokens" in text
    assert "Generation 42" in text
    assert "gateway-1" in text
    assert f"/o/northgate/rollouts/{row.pk}/" in answer.text
    assert f"/o/northgate/releases/{row.release_id}" in answer.text


def test_others_read_why_they_do_not_and_everything_else(viewer: Client, northgate: Scene) -> None:
    in_canary(northgate)
    text = text_of(viewer.get(URL))
    assert "To read and export receipts one must be" in text
    assert "Answer briefly." not in text
    assert "Yes." not in text
    assert "r2 answered in 900 ms." in text


def test_the_copy_of_a_shadow_stands_beside_the_answer_that_was_served(auditor: Client, northgate: Scene) -> None:
    told(northgate, 1, arm="stable", ago=timedelta(minutes=2))
    told(northgate, 2, request_id="req-1", arm="shadow", output="Rather not.")
    text = text_of(auditor.get(URL))
    assert "What each answered" in text
    assert text.index("Yes.") < text.index("Rather not.")
    assert "Release aaaaaaaaaaaa Shadow copy Answered Rather not." in text


def test_what_the_other_arm_answered_in_a_replay_stands_beside_it(auditor: Client, northgate: Scene) -> None:
    row = in_canary(northgate)
    trace = Trace.objects.get(request_id="req-1")
    subject = bytes(trace.subject)
    ReplayPair.objects.create(
        organization=northgate.organization,
        rollout=row,
        checkpoint=2,
        slice="ip-licensing",
        request_id="req-1",
        trace_id=trace.trace_id,
        trace_started_at=trace.started_at,
        subject=subject,
        served="candidate",
        state=ReplayPair.State.ANSWERED,
        answers=seal_body(northgate.organization.pk, subject, {"candidate": "Yes.", "stable": "Only if agreed."}),
        created_at=now(),
    )
    text = text_of(auditor.get(URL))
    assert "r1 Stable, replayed unseen Only if agreed." in text


@pytest.mark.parametrize(
    ("changes", "title", "said"),
    [
        ({"error": "timeout", "output": None}, "Timed out after 900 ms: ", "There is no answer."),
        ({"error": "upstream_5xx", "status": 502, "latency_ms": None}, "Upstream 502: ", "Yes."),
        ({"output": {"content": None, "refusal": "I may not."}}, " answered in", "The model refused: I may not."),
        ({"output": {"content": None, "tool_calls": [{"id": "look-up"}]}}, " answered in", "It called tools"),
        ({"input": "Plain question?"}, " answered in", "user Plain question?"),
        ({"input": None}, " answered in", "No prompt was sent with this trace."),
        ({"input": None, "output": None, "metadata": None}, " answered in", "Neither prompt nor answer was sent"),
        ({"input": {"messages": ["odd", {"role": "user"}]}}, " answered in", "Yes."),
    ],
)
def test_every_end_and_every_shape_is_said_in_words(
    auditor: Client, northgate: Scene, changes: dict[str, Any], title: str, said: str
) -> None:
    told(northgate, 1, **changes)
    text = text_of(auditor.get(URL))
    assert title in text
    assert said in text


def test_what_was_erased_or_damaged_is_said_so(auditor: Client, northgate: Scene) -> None:
    told(northgate, 1)
    Trace.objects.update(body=b"\x01" + b"0" * 40)
    assert "It does not open" in text_of(auditor.get(URL))
    SubjectKey.objects.update(wrapped_key=None)
    text = text_of(auditor.get(URL))
    assert "Erased: the key of this subject was destroyed" in text
    assert "Yes." not in text


def test_it_says_which_rules_took_it(viewer: Client, northgate: Scene) -> None:
    create_slice(actor=northgate.actor, slug="french", match={"locale": "fr"})
    create_slice(actor=northgate.actor, slug="belgian", parent="french", match={"metadata": {"country": "BE"}})
    told(northgate, 1)
    assign([f"{1:032x}"], "belgian")
    text = text_of(viewer.get(URL))
    assert "french takes requests in fr belgian takes requests whose metadata say country = BE" in text
    assert "The first leaf whose rules all take a request gets it." in text


def test_it_says_where_a_rule_has_changed_since(viewer: Client, northgate: Scene) -> None:
    told(northgate, 1)
    assign([f"{1:032x}"], "late")
    create_slice(actor=northgate.actor, slug="late", match={"pattern": "licen[cs]e"})
    text = text_of(viewer.get(URL))
    assert "takes requests whose question matches licen[cs]e" in text
    assert "One of these rules has changed since this trace arrived" in text


def test_it_says_where_no_rule_took_it(viewer: Client, northgate: Scene) -> None:
    told(northgate, 1)
    assert "No slice’s rule took it when it arrived" in text_of(viewer.get(URL))


def test_the_id_of_a_request_is_its_clients_and_may_be_any_text(auditor: Client, northgate: Scene) -> None:
    strange = f"a/b?c#d e {SCRIPT}"
    told(northgate, 1, request_id=strange, input=SCRIPT, output=SCRIPT, metadata={SCRIPT: SCRIPT}, replica=SCRIPT)
    url = reverse("trace", kwargs={"organization": "northgate", "request_id": strange})
    assert url in auditor.get("/o/northgate/traces/").text
    page = auditor.get(url).text
    assert SCRIPT not in page
    assert escape(SCRIPT) in page


@pytest.mark.parametrize("key", ["req-2", "%00", "req-1/more"])
def test_a_request_that_nobody_told_of_is_not_there(auditor: Client, northgate: Scene, key: str) -> None:
    told(northgate, 1)
    assert auditor.get(f"/o/northgate/traces/{key}/").status_code == 404


def test_a_request_of_another_organization_is_not_there(auditor: Client, northgate: Scene) -> None:
    other = factories.organization("southgate")
    stored(other, trace_row(1, started_at=now().isoformat()), now=now())
    assert auditor.get(URL).status_code == 404
    assert visitor(other, "auditor").get("/o/southgate/traces/req-1/").status_code == 200


def test_the_page_costs_the_same_however_often_a_request_came(
    auditor: Client, northgate: Scene, django_assert_max_num_queries: Any
) -> None:
    in_canary(northgate)
    with django_assert_max_num_queries(QUERIES) as few:
        auditor.get(URL)
    ceiling = len(few)
    for number in range(2, 25):
        told(northgate, number, request_id="req-1", subject=f"subject-{number}")
    with django_assert_max_num_queries(ceiling):
        auditor.get(URL)
