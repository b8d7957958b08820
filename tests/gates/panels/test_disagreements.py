"""Disagreements: seen when all is decided, by somebody who grades nothing, under letters; and how they are decided."""

from collections.abc import Callable

import pytest

from gates.panel_models import Panel, PanelItem, PanelTask
from gates.panels.closing import close_panel
from gates.panels.disagreements import Disagreement, adjudicate, disagreements
from gates.panels.rating import rate, undo
from gates.panels.selectors import waiting_for
from relcontrol.errors import Conflict, Forbidden, Invalid
from tests.gates.panels.scene import Campaign, all_graded, expert, graded_by, own, rows, service, suite_of

REASON = "One of the two took 1 for the best grade."


@pytest.fixture
def panel(here: Campaign) -> Panel:
    """Everybody has graded everything, each always alike: 5, 4 and 1."""
    made = here.panel()
    all_graded(here, made, 5, 4, 1)
    return made


def first_of(here: Campaign, panel: Panel) -> Disagreement:
    """The widest one."""
    return disagreements(actor=here.manager, panel=panel)[0]


def letter_of(each: Disagreement, grade: float) -> str:
    """Who gave this grade."""
    return next(voice.letter for voice in each.voices if voice.grade == grade)


def test_they_are_sorted_by_how_far_grades_lie_apart(here: Campaign, panel: Panel) -> None:
    found = disagreements(actor=here.manager, panel=panel)
    assert [each.spread for each in found] == sorted((each.spread for each in found), reverse=True)
    assert {each.spread for each in found} == {4.0, 3.0, 1.0}
    for each in found:
        grades = [voice.grade for voice in each.voices if voice.grade]
        assert each.spread == max(grades) - min(grades)


def test_answers_on_which_all_agree_are_left_out(here: Campaign) -> None:
    panel = here.panel()
    all_graded(here, panel, 3, 3, 3)
    assert disagreements(actor=here.manager, panel=panel) == []


def test_raters_are_letters_that_change_from_answer_to_answer(here: Campaign) -> None:
    # Forty answers: that one rater is the same letter by chance in all of them happens in no lifetime.
    panel = here.panel(suite=suite_of(here.scene, rows(40), name="long"), raters=here.emails[:2])
    for each, grade in zip(here.experts[:2], (5, 1), strict=True):
        graded_by(panel, each, grade)
    found = disagreements(actor=here.manager, panel=panel)
    assert all([voice.letter for voice in each.voices] == ["A", "B"] for each in found)
    assert {letter_of(each, 1.0) for each in found} == {"A", "B"}


def test_before_the_last_decision_nothing_is_shown(here: Campaign) -> None:
    panel, (ada, bea, cyd) = here.panel(), here.experts
    for each in (ada, bea):
        graded_by(panel, each, 5)
    tasks = list(own(panel, cyd))
    for task in tasks[:-1]:
        rate(actor=cyd, task=task, grade=1)
    with pytest.raises(Conflict, match="every rater has decided"):
        disagreements(actor=here.manager, panel=panel)
    with pytest.raises(Conflict, match="every rater has decided"):
        adjudicate(actor=here.manager, item=tasks[0].item, decision="keep", reason=REASON)
    rate(actor=cyd, task=tasks[-1], grade=1)
    assert disagreements(actor=here.manager, panel=panel)


def test_a_grade_that_is_set_aside_is_kept_and_does_not_count(here: Campaign, panel: Panel) -> None:
    each = first_of(here, panel)
    wrong = letter_of(each, 1.0)
    adjudicate(actor=here.manager, item=each.item, decision="set_aside", rater=wrong, reason=REASON)
    kept = PanelTask.objects.get(item=each.item, set_aside=True)
    assert (kept.grade, kept.rater) == (1.0, here.experts[2].id)
    close_panel(actor=here.manager, panel=panel)
    assert here.ratings().count() == 11
    assert not here.ratings().filter(answer__answer_id=each.item.answer_id, grade=1).exists()


def test_keeping_brings_back_what_was_set_aside(here: Campaign, panel: Panel) -> None:
    each = first_of(here, panel)
    adjudicate(actor=here.manager, item=each.item, decision="set_aside", rater=letter_of(each, 1.0), reason=REASON)
    kept = adjudicate(actor=here.manager, item=each.item, decision="keep", reason="Both readings are possible.")
    assert (kept.finding, kept.finding_reason) == ("kept", "Both readings are possible.")
    close_panel(actor=here.manager, panel=panel)
    assert here.ratings().count() == 12


def test_the_last_grade_of_an_answer_cannot_be_set_aside(here: Campaign, panel: Panel) -> None:
    each = first_of(here, panel)
    adjudicate(actor=here.manager, item=each.item, decision="set_aside", rater="A", reason=REASON)
    with pytest.raises(Invalid, match="has to count"):
        adjudicate(actor=here.manager, item=each.item, decision="set_aside", rater="B", reason=REASON)
    assert PanelTask.objects.filter(item=each.item, set_aside=True).count() == 1


def test_one_more_rater_is_asked_blind_and_the_others_can_still_be_compared(here: Campaign, panel: Panel) -> None:
    dan, (first, second) = expert(here.organization, "dan"), disagreements(actor=here.manager, panel=panel)[:2]
    assert dan.person
    adjudicate(
        actor=here.manager, item=first.item, decision="another_rater", to=dan.person.email.upper(), reason=REASON
    )
    assert waiting_for(dan) == [(panel, 1)]
    waits = next(each for each in disagreements(actor=here.manager, panel=panel) if each.item == first.item)
    assert (waits.waits, [voice.letter for voice in waits.voices]) == (True, ["A", "B", "C"])
    adjudicate(actor=here.manager, item=second.item, decision="keep", reason=REASON)
    graded_by(panel, dan, 2)
    done = next(each for each in disagreements(actor=here.manager, panel=panel) if each.item == first.item)
    assert [voice.grade for voice in done.voices][2] == 2
    assert [voice.letter for voice in done.voices[:2]] == [voice.letter for voice in first.voices]
    close_panel(actor=here.manager, panel=panel)
    assert here.ratings().get(rater=dan.id).grade == 2


def test_while_one_more_rater_is_waited_for_nothing_else_is_decided_on_the_answer(here: Campaign, panel: Panel) -> None:
    expert(here.organization, "dan")
    each = first_of(here, panel)
    adjudicate(actor=here.manager, item=each.item, decision="another_rater", to="dan@northgate.example", reason=REASON)
    for decision in ("keep", "set_aside"):
        with pytest.raises(Conflict, match="has not decided yet"):
            adjudicate(actor=here.manager, item=each.item, decision=decision, rater="A", reason=REASON)
    assert disagreements(actor=here.manager, panel=panel)


def test_one_more_rater_may_take_her_grade_back(here: Campaign, panel: Panel) -> None:
    dan = expert(here.organization, "dan")
    item = first_of(here, panel).item
    adjudicate(actor=here.manager, item=item, decision="another_rater", to="dan@northgate.example", reason=REASON)
    graded_by(panel, dan, 2)
    assert undo(actor=dan, panel=panel).item == item


def test_one_more_rater_who_grades_here_gets_the_answer_after_her_own(here: Campaign, panel: Panel) -> None:
    each = first_of(here, panel)
    known = set(PanelTask.objects.filter(item=each.item).values_list("rater", flat=True))
    third = next(actor for actor in here.experts if actor.id not in known)
    assert third.person
    adjudicate(actor=here.manager, item=each.item, decision="another_rater", to=third.person.email, reason=REASON)
    assert [task.place for task in own(panel, third)] == [1, 2, 3, 4, 5]


WRONG: dict[str, tuple[dict[str, str], str]] = {
    "no such decision": ({"decision": "forget"}, "decision"),
    "no reason": ({"decision": "keep", "reason": " "}, "reason"),
    "no rater": ({"decision": "set_aside"}, "rater"),
    "no such rater": ({"decision": "set_aside", "rater": "Z"}, "rater"),
    "nobody": ({"decision": "another_rater"}, "to"),
    "a stranger": ({"decision": "another_rater", "to": "x@elsewhere.example"}, "to"),
    "who graded it": ({"decision": "another_rater", "to": "ada@northgate.example"}, "to"),
    "who has seen the grades": ({"decision": "another_rater", "to": "domain-owner@northgate.example"}, "to"),
}


@pytest.mark.parametrize(("order", "field"), WRONG.values(), ids=WRONG)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    here: Campaign, panel: Panel, order: dict[str, str], field: str
) -> None:
    item = own(panel, here.experts[0])[0].item
    tasks, receipts = PanelTask.objects.count(), len(here.scene.receipts())
    with pytest.raises(Invalid) as refused:
        adjudicate(actor=here.manager, item=item, **{"reason": REASON, **order})
    assert [error.field for error in refused.value.errors] == [field]
    item.refresh_from_db()
    assert (item.finding, PanelTask.objects.count(), len(here.scene.receipts())) == ("", tasks, receipts)
    assert not PanelTask.objects.filter(set_aside=True).exists()


def test_who_grades_here_decides_on_no_disagreement_whatever_her_role(here: Campaign, panel: Panel) -> None:
    item = PanelItem.objects.filter(panel=panel)[0]
    olga = expert(here.organization, "olga", "domain-owner")
    assert olga.person
    with_olga = here.panel(raters=[olga.person.email], raters_per_answer=1)
    graded_by(with_olga, olga, 3)
    acts: list[Callable[[], object]] = [
        lambda: adjudicate(
            actor=olga, item=PanelItem.objects.filter(panel=with_olga)[0], decision="keep", reason="So."
        ),
        lambda: adjudicate(actor=here.experts[0], item=item, decision="keep", reason="So."),
    ]
    for act in acts:
        with pytest.raises(Forbidden):
            act()


def test_a_service_token_may_decide(here: Campaign, panel: Panel) -> None:
    each = first_of(here, panel)
    done = adjudicate(actor=service(here.scene, "gates:write"), item=each.item, decision="keep", reason=REASON)
    assert done.finding_by_label == "ci"


def test_after_the_end_nothing_is_decided_any_more(here: Campaign, panel: Panel) -> None:
    each = first_of(here, panel)
    closed = close_panel(actor=here.manager, panel=panel)
    with pytest.raises(Conflict, match="closed already"):
        adjudicate(actor=here.manager, item=each.item, decision="keep", reason=REASON)
    assert disagreements(actor=here.manager, panel=closed)


def test_what_was_looked_at_is_not_taken_back(here: Campaign, panel: Panel) -> None:
    ada = here.experts[0]
    newest = own(panel, ada).order_by("-decided_at")[0]
    adjudicate(actor=here.manager, item=newest.item, decision="keep", reason=REASON)
    with pytest.raises(Conflict, match="looked at"):
        undo(actor=ada, panel=panel)
    newest.refresh_from_db()
    assert newest.grade == 5


def test_the_receipt_of_a_decision_says_why_and_not_whose_grade_it_was(here: Campaign, panel: Panel) -> None:
    each = first_of(here, panel)
    adjudicate(actor=here.manager, item=each.item, decision="set_aside", rater=letter_of(each, 1.0), reason=REASON)
    last = here.scene.receipts()[-1]
    assert (last.event, last.outcome, last.subject) == ("policy.changed", "adjudicated", f"panel:{panel.name}")
