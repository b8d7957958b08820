"""The end of a panel: grades become ratings in one transaction, with what is missing said before."""

from typing import Any

import pytest

from gates.models import Rating
from gates.panel_models import Panel
from gates.panels import closing
from gates.panels.closing import cancel_panel, close_panel
from gates.panels.importing import import_grades
from gates.panels.rating import skip
from gates.ratings import add_ratings
from relcontrol.errors import Conflict, Forbidden
from tests.gates.panels.scene import Campaign, all_graded, graded_by, own, service, suite_of


def test_until_it_is_closed_the_suite_knows_nothing_of_a_panels_grades(here: Campaign) -> None:
    panel = here.panel()
    all_graded(here, panel, 5, 4, 3)
    assert here.ratings().count() == 0
    close_panel(actor=here.manager, panel=panel)
    assert here.ratings().count() == 12


def test_grades_become_ratings_under_the_pseudonyms_of_who_gave_them(here: Campaign) -> None:
    panel = here.panel()
    all_graded(here, panel, 5, 4, 3)
    close_panel(actor=here.manager, panel=panel)
    ada, bea, cyd = (each.id for each in here.experts)
    assert set(here.ratings().values_list("rater", "grade")) == {(ada, 5.0), (bea, 4.0), (cyd, 3.0)}
    given = set(here.ratings().values_list("answer__answer_id", "rater"))
    assert given == set(panel.tasks.values_list("item__answer_id", "rater"))


def test_two_receipts_say_what_the_suite_got_and_that_the_panel_is_closed(here: Campaign) -> None:
    panel = here.panel()
    all_graded(here, panel, 5, 4, 3)
    closed = close_panel(actor=here.manager, panel=panel)
    ratings, end = here.scene.receipts()[-2:]
    assert (ratings.event, ratings.subject) == ("ratings.added", f"suite:{here.suite.name}")
    assert (end.event, end.outcome, end.subject) == ("policy.changed", "closed", f"panel:{panel.name}")
    assert closed.receipt_hash == end.receipt_hash
    assert here.scene.last_statement()


def test_with_grades_missing_closing_says_how_many_and_takes_a_second_word(here: Campaign) -> None:
    panel, (ada, bea, cyd) = here.panel(), here.experts
    skip(actor=ada, task=own(panel, ada)[0], reason="Not my field.")
    graded_by(panel, ada, 5)
    graded_by(panel, bea, 4)
    with pytest.raises(Conflict, match="5 of 12 grades are missing: 4 are waited for, 1 were skipped") as refused:
        close_panel(actor=here.manager, panel=panel)
    assert refused.value.state == {"panel_id": panel.pk, "missing": 5, "waiting": 4, "skipped": 1}
    panel.refresh_from_db()
    assert (panel.state, here.ratings().count()) == (Panel.State.OPEN, 0)
    close_panel(actor=here.manager, panel=panel, anyway=True)
    assert here.ratings().count() == 7
    assert not here.ratings().filter(rater=cyd.id).exists()


def test_skipped_answers_alone_are_missing_too(here: Campaign) -> None:
    panel, ada = here.panel(), here.experts[0]
    skip(actor=ada, task=own(panel, ada)[0], reason="Not my field.")
    all_graded(here, panel, 5, 4, 3)
    with pytest.raises(Conflict, match="1 of 12"):
        close_panel(actor=here.manager, panel=panel)


def test_a_panel_in_which_nobody_graded_is_not_closed(here: Campaign) -> None:
    panel = here.panel()
    with pytest.raises(Conflict, match="cancel the panel"):
        close_panel(actor=here.manager, panel=panel, anyway=True)


def test_a_panel_is_closed_once(here: Campaign) -> None:
    panel = here.panel()
    all_graded(here, panel, 5, 4, 3)
    close_panel(actor=here.manager, panel=panel)
    receipts = len(here.scene.receipts())
    for act in (close_panel, cancel_panel):
        with pytest.raises(Conflict, match="closed already"):
            act(actor=here.manager, panel=panel)
    assert (here.ratings().count(), len(here.scene.receipts())) == (12, receipts)


def test_a_close_that_breaks_off_leaves_an_open_panel_and_no_rating(
    here: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = here.panel()
    all_graded(here, panel, 5, 4, 3)
    receipts = len(here.scene.receipts())

    def killed(*_: Any, **__: Any) -> None:
        raise SystemExit(9)

    monkeypatch.setattr(closing, "record", killed)
    with pytest.raises(SystemExit):
        close_panel(actor=here.manager, panel=panel)
    panel.refresh_from_db()
    assert (panel.state, here.ratings().count(), len(here.scene.receipts())) == ("open", 0, receipts)


def test_a_grade_that_the_rater_gave_elsewhere_before_stands(here: Campaign) -> None:
    panel, ada = here.panel(), here.experts[0]
    item = own(panel, ada)[0].item
    assert item.case
    row = {"case_id": item.case.case_id, "answer_id": item.answer_id, "rater": ada.id, "grade": 1}
    add_ratings(actor=here.manager, suite=here.suite, rows=[row])
    all_graded(here, panel, 5, 4, 3)
    close_panel(actor=here.manager, panel=panel)
    assert Rating.objects.get(answer__answer_id=item.answer_id, rater=ada.id).grade == 1
    assert here.ratings().count() == 12


def test_closing_gives_a_suite_without_a_scale_the_panels(here: Campaign) -> None:
    here.suite.grade_scale = None
    here.suite.save()
    panel = here.panel()
    all_graded(here, panel, 5, 4, 3)
    close_panel(actor=here.manager, panel=panel)
    here.suite.refresh_from_db()
    assert here.suite.grade_scale == [1.0, 5.0]


def test_a_suite_that_got_another_scale_meanwhile_takes_no_grades_of_this_one(here: Campaign) -> None:
    panel = here.panel()
    all_graded(here, panel, 5, 4, 3)
    here.suite.grade_scale = [0.0, 100.0]
    here.suite.save()
    with pytest.raises(Conflict, match="from 0 to 100"):
        close_panel(actor=here.manager, panel=panel)
    assert here.ratings().count() == 0


def test_a_cancelled_panel_brings_no_grade_and_leaves_a_receipt(here: Campaign) -> None:
    panel = here.panel()
    all_graded(here, panel, 5, 4, 3)
    cancelled = cancel_panel(actor=here.manager, panel=panel)
    assert (cancelled.state, cancelled.closed_by_label) == ("cancelled", here.manager.label)
    assert here.ratings().count() == 0
    assert here.scene.receipts()[-1].outcome == "cancelled"


def test_a_cancelled_panel_without_a_grade_is_fine(here: Campaign) -> None:
    assert cancel_panel(actor=here.manager, panel=here.panel()).state == Panel.State.CANCELLED


def test_a_service_token_may_close_and_an_expert_may_not(here: Campaign) -> None:
    panel = here.panel()
    all_graded(here, panel, 5, 4, 3)
    for act in (close_panel, cancel_panel):
        with pytest.raises(Forbidden):
            act(actor=here.experts[0], panel=panel)
    close_panel(actor=service(here.scene, "gates:write"), panel=panel)
    assert here.ratings().count() == 12


def test_imported_raters_keep_their_names(here: Campaign) -> None:
    panel = here.panel()
    all_graded(here, panel, 5, 4, 3)
    line = b'{"case_id": "c1", "answer_id": "r127-1", "rater": "Dr. Dee", "grade": 2}'
    import_grades(actor=here.manager, panel=panel, body=line, file_format="jsonl")
    close_panel(actor=here.manager, panel=panel)
    assert here.ratings().get(rater="Dr. Dee").grade == 2


def test_a_panel_of_another_suite_changes_nothing_here(here: Campaign) -> None:
    rows = [{"case_id": "x", "slice": "ip-licensing", "input": "?", "answers": [{"output": "A", "human_scores": [1]}]}]
    panel = here.panel(suite=suite_of(here.scene, rows, name="other"))
    all_graded(here, panel, 5, 4, 3)
    close_panel(actor=here.manager, panel=panel)
    assert here.ratings().count() == 0
