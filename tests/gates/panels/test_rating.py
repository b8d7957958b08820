"""Grading: one's own answers in one's own order, once each, taken back newest first, until the panel is over."""

import pytest

from gates.panel_models import PanelItem, PanelTask
from gates.panels.closing import cancel_panel, close_panel
from gates.panels.rating import GONE, next_task, rate, skip, undo
from gates.panels.selectors import own_tally, waiting_for
from gates.panels.texts import texts_of
from relcontrol.errors import Conflict, Forbidden, Invalid, NotFound
from tests.gates.panels.scene import Campaign, acting, all_graded, campaign, own, service
from tests.gates.scene import Scene

State = PanelTask.State


def test_an_expert_gets_her_answers_one_after_the_other_in_her_own_order(here: Campaign) -> None:
    panel, ada = here.panel(), here.experts[0]
    assert ada.person
    seen = []
    while task := next_task(panel, ada.person):
        seen.append(task.pk)
        rate(actor=ada, task=task, grade=4)
    assert seen == [task.pk for task in own(panel, ada)]
    assert own_tally(panel, ada.person).rated == len(seen) == 4


def test_she_sees_the_input_the_answer_and_the_reference(here: Campaign) -> None:
    panel = here.panel()
    item = PanelItem.objects.get(panel=panel, answer_id="r127-3")
    texts = texts_of(item)
    assert (texts.input, texts.output, texts.reference, texts.gone) == (
        "Question 3?",
        "Answer 3.",
        "Reference 3.",
        False,
    )


def test_a_grade_is_a_whole_number_of_the_scale(here: Campaign) -> None:
    task = own(here.panel(), here.experts[0])[0]
    for wrong in (0, 6, 3.5, float("nan"), float("inf"), -1):
        with pytest.raises(Invalid, match="whole number from 1 to 5"):
            rate(actor=here.experts[0], task=task, grade=wrong)
    task.refresh_from_db()
    assert (task.state, task.grade) == (State.WAITING, None)


def test_nought_is_a_grade_on_the_scale_to_a_hundred(here: Campaign) -> None:
    here.suite.grade_scale = None
    here.suite.save()
    panel = here.panel(scale=(0.0, 100.0))
    all_graded(here, panel, 0, 100, 57)
    close_panel(actor=here.manager, panel=panel)
    assert set(here.ratings().values_list("grade", flat=True)) == {0.0, 57.0, 100.0}


def test_the_same_grade_twice_is_one_and_another_one_is_refused(here: Campaign) -> None:
    ada, task = here.experts[0], own(here.panel(), here.experts[0])[0]
    first = rate(actor=ada, task=task, grade=4)
    assert rate(actor=ada, task=task, grade=4).decided_at == first.decided_at
    with pytest.raises(Conflict, match="rated this answer already"):
        rate(actor=ada, task=task, grade=5)
    with pytest.raises(Conflict):
        skip(actor=ada, task=task, reason="I know too little of this.")


def test_skipping_takes_a_reason(here: Campaign) -> None:
    ada, task = here.experts[0], own(here.panel(), here.experts[0])[0]
    with pytest.raises(Invalid, match="Say why"):
        skip(actor=ada, task=task, reason="  ")
    done = skip(actor=ada, task=task, reason="I know too little of Belgian law.")
    assert (done.state, done.grade, done.reason) == (State.SKIPPED, None, "I know too little of Belgian law.")


def test_undo_takes_back_one_decision_after_the_other_newest_first(here: Campaign) -> None:
    panel, ada = here.panel(), here.experts[0]
    first, second, third = own(panel, ada)[:3]
    rate(actor=ada, task=first, grade=2)
    rate(actor=ada, task=third, grade=5)
    skip(actor=ada, task=second, reason="Not my field.")
    assert [undo(actor=ada, panel=panel).pk for _ in range(3)] == [second.pk, third.pk, first.pk]
    assert set(own(panel, ada).values_list("state", "grade", "reason")) == {("waiting", None, "")}
    with pytest.raises(Conflict, match="nothing to take back"):
        undo(actor=ada, panel=panel)


def test_undo_never_touches_the_grades_of_others(here: Campaign) -> None:
    panel, (ada, bea, _) = here.panel(), here.experts
    rate(actor=bea, task=own(panel, bea)[0], grade=3)
    with pytest.raises(Conflict):
        undo(actor=ada, panel=panel)
    assert own(panel, bea)[0].grade == 3


def test_after_undo_the_answer_comes_next(here: Campaign) -> None:
    panel, ada = here.panel(), here.experts[0]
    assert ada.person
    rate(actor=ada, task=own(panel, ada)[0], grade=2)
    back = undo(actor=ada, panel=panel)
    assert next_task(panel, ada.person) == back


def test_nobody_grades_what_another_was_asked_to_grade(here: Campaign) -> None:
    panel, (ada, bea, _) = here.panel(), here.experts
    task = own(panel, ada)[0]
    with pytest.raises(Forbidden, match="Somebody else"):
        rate(actor=bea, task=task, grade=1)
    with pytest.raises(Forbidden, match="Somebody else"):
        skip(actor=bea, task=task, reason="Mine.")
    assert own(panel, ada)[0].state == State.WAITING


def test_who_made_the_panel_grades_nothing_of_it(here: Campaign) -> None:
    task = own(here.panel(), here.experts[0])[0]
    with pytest.raises(Forbidden):
        rate(actor=here.manager, task=task, grade=1)


def test_a_service_token_never_grades_whatever_its_scopes(here: Campaign) -> None:
    panel = here.panel()
    machine, task = service(here.scene), own(panel, here.experts[0])[0]
    with pytest.raises(Forbidden, match="takes a person"):
        rate(actor=machine, task=task, grade=1)
    with pytest.raises(Forbidden, match="takes a person"):
        skip(actor=machine, task=task, reason="Because.")
    with pytest.raises(Forbidden, match="takes a person"):
        undo(actor=machine, panel=panel)


def test_a_person_of_another_organization_finds_nothing(here: Campaign, eastgate: Scene) -> None:
    task = own(here.panel(), here.experts[0])[0]
    with pytest.raises(NotFound):
        rate(actor=campaign(eastgate).experts[0], task=task, grade=1)


def test_a_panel_that_is_over_takes_no_grade_and_gives_none_back(here: Campaign) -> None:
    closed, cancelled = here.panel(), here.panel()
    all_graded(here, closed, 5, 4, 3)
    close_panel(actor=here.manager, panel=closed)
    ada = here.experts[0]
    rate(actor=ada, task=own(cancelled, ada)[0], grade=2)
    cancel_panel(actor=here.manager, panel=cancelled)
    for panel in (closed, cancelled):
        with pytest.raises(Conflict, match="already"):
            rate(actor=ada, task=own(panel, ada)[1], grade=1)
        with pytest.raises(Conflict, match="already"):
            undo(actor=ada, panel=panel)
    assert ada.person
    assert next_task(cancelled, ada.person) is None


def test_what_waits_for_a_person_is_counted_in_open_panels_only(here: Campaign) -> None:
    first, second = here.panel(), here.panel()
    ada = here.experts[0]
    rate(actor=ada, task=own(first, ada)[0], grade=2)
    assert waiting_for(ada) == [(first, 3), (second, 4)]
    cancel_panel(actor=here.manager, panel=second)
    assert waiting_for(ada) == [(first, 3)]
    assert waiting_for(here.manager) == []
    assert waiting_for(service(here.scene)) == []


def test_an_answer_whose_text_is_gone_is_skipped_for_everybody(here: Campaign) -> None:
    panel, ada = here.panel(), here.experts[0]
    assert ada.person
    lost = own(panel, ada)[0].item
    PanelItem.objects.filter(pk=lost.pk).update(case=None, sealed=b"\x01", subject=b"s" * 16)
    assert next_task(panel, ada.person) == own(panel, ada)[1]
    gone = PanelTask.objects.filter(item=lost)
    assert set(gone.values_list("state", "reason")) == {(State.SKIPPED, GONE)}
    with pytest.raises(Conflict, match="nothing to take back"):
        undo(actor=ada, panel=panel)


def test_somebody_who_left_cannot_be_asked(here: Campaign) -> None:
    person = here.experts[0].person
    assert person
    assert acting(here.organization, person).person == person
    person.is_active = False
    person.save()
    with pytest.raises(Invalid, match="no member"):
        here.panel()
