"""Worst answers side by side: for those who may read what people asked; others read why not."""

import pytest
from django.test import Client
from django.utils.html import escape

from releases.observer_models import Observer, WorstAnswers
from releases.traces.bodies import seal_body
from tests import factories
from tests.releases.observing import factory
from tests.releases.page_visitors import visitor
from tests.releases.pages_observe.reading import text_of

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def found(watched: Observer) -> WorstAnswers:
    """The worst answers of an automatic rollback."""
    event = factory.rollback(watched, watched.release.previous_release)
    return factory.worst(event, kept=watched.release.previous_release)


def url(row: WorstAnswers) -> str:
    return f"/o/{row.organization.slug}/observe/worst/{row.pk}/"


def test_both_answers_stand_side_by_side_with_the_reasons_of_the_judge(manager: Client, found: WorstAnswers) -> None:
    text = text_of(manager.get(url(found)))
    assert "r2 was rolled back. Its 3 worst answers." in text
    assert "May affiliates use the licence? (1)" in text
    assert text.index("Yes, where clause 4 names them.") < text.index("You should consult an attorney.")
    assert "Judge: Refuses to answer." in text
    assert "score 0.01" in text


def test_a_long_answer_is_shown_by_its_beginning_and_whole_on_demand(manager: Client, watched: Observer) -> None:
    row = factory.worst(factory.alarm(watched), count=0)
    texts = {"before": {"content": "No."}, "after": {"content": f"{'word ' * 400}the end."}}
    said = {"input": {"messages": []}, **texts, "reason_before": "", "reason_after": ""}
    factory.worst_answer(row, 1, sealed=seal_body(row.organization_id, factory.SUBJECT, said))
    page = manager.get(url(row)).text
    assert (page.count("The whole answer"), page.count('<details id="whole-1-2">')) == (1, 1)
    assert page.index("The whole answer") < page.index("the end.")


def test_who_may_not_read_answers_reads_why_and_no_word_of_them(viewer: Client, found: WorstAnswers) -> None:
    text = text_of(viewer.get(url(found)))
    assert "Questions and answers are not shown to you. To read and export receipts one must be" in text
    assert "affiliates" not in text
    assert "attorney" not in text


def test_what_was_erased_is_said_in_its_place(manager: Client, found: WorstAnswers) -> None:
    found.answers.filter(place=2).update(sealed=None)
    text = text_of(manager.get(url(found)))
    assert "Erased, or older than what is kept." in text
    assert "(1)" in text
    assert "(2)" not in text


def test_while_they_are_being_found_the_page_asks_again(manager: Client, found: WorstAnswers) -> None:
    WorstAnswers.objects.filter(pk=found.pk).update(state="running", progress_done=1)
    found.answers.filter(place=3).update(sealed=None)
    page = manager.get(url(found))
    assert "Its worst answers are being looked for." in text_of(page)
    assert "Still being answered and judged." in text_of(page)
    assert "data-poll" in page.text
    assert manager.get(url(found), {"seq": "10"}, headers=HTMX).status_code == 204
    WorstAnswers.objects.filter(pk=found.pk).update(state="done", progress_done=3)
    last = manager.get(url(found), {"seq": "10"}, headers=HTMX)
    assert last.status_code == 200
    assert "data-poll" not in last.text


def test_where_none_is_known_it_says_so(manager: Client, watched: Observer) -> None:
    row = factory.worst(factory.alarm(watched), count=0)
    assert "r2 is in doubt. No bad answer is known." in text_of(manager.get(url(row)))


def test_texts_with_tags_are_escaped(manager: Client, watched: Observer) -> None:
    row = factory.worst(factory.alarm(watched), count=0)
    factory.worst_answer(row, 1, problem=SCRIPT, request_id=SCRIPT)
    page = manager.get(url(row)).text
    assert SCRIPT not in page
    assert escape(SCRIPT) in page


def test_an_outsider_finds_none(found: WorstAnswers) -> None:
    outsider = visitor(factories.organization("southgate"), "auditor")
    assert outsider.get(url(found)).status_code == 404
    assert outsider.get(f"/o/southgate/observe/worst/{found.pk}/").status_code == 404
