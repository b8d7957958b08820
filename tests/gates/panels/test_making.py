"""Starting a panel: which answers, which raters, and what is refused before anybody is asked to grade."""

from collections import Counter
from typing import Any

import pytest

from audit.models import Opening
from gates.models import Rating
from gates.panel_models import Panel, PanelItem, PanelTask
from gates.panels.closing import close_panel
from gates.run_models import CaseResult, GateRun
from gates.slices.services import change_slice, slice_named
from relcontrol.errors import Conflict, Forbidden, Invalid
from tests import factories
from tests.gates.panels.scene import Campaign, all_graded, graded_by, rows, service, suite_of
from tests.gates.runs.factory import gate_run


def judged(here: Campaign, count: int = 100) -> GateRun:
    """A finished run whose answers the judge scored 0.00, 0.01, … on two slices by turns."""
    suite = suite_of(here.scene, [row | {"answers": []} for row in rows(count)], name="judged")
    factories.application(here.organization)
    run = gate_run(here.organization)  # of the newest suite
    for number, case in enumerate(sorted(suite.cases.all(), key=lambda case: int(case.case_id[1:]))):
        CaseResult.objects.create(
            run=run, case=case, answer_id=f"r128-{number}", output=f"Candidate says {number}.", score=number / count
        )
    return run


def tenths(panel: Panel) -> list[int]:
    """Of each answer which tenth of the judge's scores it is in."""
    return sorted(int((item.judge_score or 0) * 10) for item in panel.items.all())


def test_every_answer_of_a_suite_is_given_to_so_many_different_experts(here: Campaign) -> None:
    panel = here.panel()
    by_item = Counter(panel.tasks.values_list("item", flat=True))
    assert sorted(panel.items.values_list("answer_id", flat=True)) == [f"r127-{number}" for number in range(6)]
    assert set(by_item.values()) == {2}
    assert sorted(Counter(panel.tasks.values_list("rater", flat=True)).values()) == [4, 4, 4]


def test_the_same_seed_gives_the_same_work_and_another_one_other_work(here: Campaign) -> None:
    def work(panel: Panel) -> set[tuple[str, str, int]]:
        return set(panel.tasks.values_list("item__answer_id", "rater", "place"))

    assert work(here.panel()) == work(here.panel(raters=here.emails[::-1]))
    assert work(here.panel(seed=8)) != work(here.panel())


def test_without_a_seed_chance_gives_one(here: Campaign) -> None:
    assert len({here.panel(seed=None).seed for _ in range(3)}) == 3


def test_thirty_answers_of_a_run_are_spread_over_the_judges_scores(here: Campaign) -> None:
    panel = here.panel(source="run", suite=None, run=judged(here))
    assert tenths(panel) == sorted([*range(10)] * 3)


def test_of_a_run_each_named_slice_gets_its_own_spread(here: Campaign) -> None:
    panel = here.panel(source="run", suite=None, run=judged(here), slices=["ip-licensing"], count=10)
    assert {item.slice.slug for item in panel.items.select_related("slice") if item.slice} == {"ip-licensing"}
    assert tenths(panel) == list(range(10))


def test_the_answers_of_a_run_are_its_own_and_their_grades_go_to_its_suite(here: Campaign) -> None:
    run = judged(here, count=4)
    panel = here.panel(source="run", suite=None, run=run)
    assert panel.suite == run.suite
    assert set(panel.items.values_list("output", flat=True)) == {f"Candidate says {number}." for number in range(4)}
    all_graded(here, panel, 5, 4, 3)
    close_panel(actor=here.manager, panel=panel)
    graded = Rating.objects.filter(answer__case__suite=run.suite)
    assert set(graded.values_list("answer__answer_id", flat=True)) == {f"r128-{number}" for number in range(4)}
    assert set(graded.values_list("answer__output", flat=True)) == {f"Candidate says {number}." for number in range(4)}


def test_a_slice_brings_those_below_it(here: Campaign) -> None:
    below = slice_named(here.organization, "contract-drafting")
    change_slice(actor=here.manager, target=below, parent="ip-licensing")
    assert here.panel(slices=["ip-licensing"]).items.count() == 6
    assert here.panel(slices=["contract-drafting"]).items.count() == 3


def test_what_an_expert_has_graded_before_is_not_asked_again(here: Campaign) -> None:
    first = here.panel(count=2)
    all_graded(here, first, 5, 4, 3)
    close_panel(actor=here.manager, panel=first)
    again = here.panel()
    known = set(first.items.values_list("answer_id", flat=True))
    assert known & set(again.items.values_list("answer_id", flat=True)) == set()
    assert again.items.count() == 4


def test_an_answer_without_a_text_is_not_asked_for(here: Campaign) -> None:
    here.suite.cases.get(case_id="c1").graded_answers.update(output=None)
    here.suite.cases.get(case_id="c2").graded_answers.update(output="")
    assert here.panel().items.count() == 4


def test_its_receipt_names_neither_the_release_nor_who_grades(here: Campaign) -> None:
    run = judged(here, count=4)
    panel = here.panel(source="run", suite=None, run=run)
    receipt = here.scene.receipts()[-1]
    text = str(list(Opening.objects.filter(receipt=receipt).values_list("value", flat=True)))
    assert panel.name in text
    assert [secret for secret in (run.pk, run.suite.name, str(panel.seed), *here.emails) if secret in text] == []
    assert [each.id for each in here.experts if each.id in text] == []


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no name": ({"name": "  "}, "name"),
    "a name on two lines": ({"name": "Legal\nanswers"}, "name"),
    "no rubric": ({"rubric": ""}, "rubric"),
    "another scale": ({"scale": (1.0, 7.0)}, "scale"),
    "the suite's scale is another": ({"scale": (0.0, 100.0)}, "scale"),
    "more grades than raters": ({"raters_per_answer": 4}, "raters_per_answer"),
    "no grade": ({"raters_per_answer": 0}, "raters_per_answer"),
    "a stranger": ({"raters": ["nobody@elsewhere.example"]}, "raters"),
    "nobody for live answers": ({"source": "traces", "suite": None, "raters": []}, "raters"),
    "an unknown slice": ({"slices": ["tax"]}, "slices"),
    "no answers wanted": ({"count": 0}, "count"),
    "an unknown source": ({"source": "dreams"}, "source"),
    "no suite": ({"suite": None}, "suite"),
    "no run": ({"source": "run"}, "run"),
    "a negative seed": ({"seed": -1}, "seed"),
}


@pytest.mark.parametrize(("changes", "field"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_graded_is_refused_and_nothing_is_left(
    here: Campaign, changes: dict[str, Any], field: str
) -> None:
    receipts = len(here.scene.receipts())
    with pytest.raises(Invalid) as refused:
        here.panel(**changes)
    assert [error.field for error in refused.value.errors] == [field]
    assert (Panel.objects.count(), PanelItem.objects.count(), PanelTask.objects.count()) == (0, 0, 0)
    assert len(here.scene.receipts()) == receipts


def test_a_run_that_is_not_done_has_no_answers_to_grade(here: Campaign) -> None:
    run = judged(here, count=2)
    GateRun.objects.filter(pk=run.pk).update(state=GateRun.State.RUNNING)
    run.refresh_from_db()
    with pytest.raises(Invalid, match="once it is done"):
        here.panel(source="run", suite=None, run=run)


def test_when_the_experts_know_every_answer_there_is_nothing_left_to_grade(here: Campaign) -> None:
    first = here.panel(raters=here.emails[:1], raters_per_answer=1)
    graded_by(first, here.experts[0], 4)
    close_panel(actor=here.manager, panel=first)
    with pytest.raises(Invalid, match="left to grade for these people"):
        here.panel()


def test_two_panels_on_a_suite_without_a_scale_have_to_agree_on_one(here: Campaign) -> None:
    here.suite.grade_scale = None
    here.suite.save()
    here.panel()
    with pytest.raises(Invalid) as refused:
        here.panel(scale=(0.0, 100.0))
    assert refused.value.errors[0].field == "scale"


def test_grades_that_a_suite_has_have_to_fit_the_panels_scale(here: Campaign) -> None:
    here.suite.grade_scale = None
    here.suite.save()
    Rating.objects.filter(answer__case__suite=here.suite).update(grade=80)
    with pytest.raises(Invalid, match="grades outside 1 to 5"):
        here.panel()


def test_a_name_is_given_once(here: Campaign) -> None:
    first = here.panel(name="Legal answers")
    with pytest.raises(Conflict) as refused:
        here.panel(name="Legal answers")
    assert refused.value.state["panel_id"] == first.pk


def test_only_who_may_write_gates_starts_one(here: Campaign) -> None:
    with pytest.raises(Forbidden):
        here.panel(actor=here.experts[0])


def test_a_service_token_may_start_one(here: Campaign) -> None:
    assert here.panel(actor=service(here.scene, "gates:write")).created_by.startswith("tok_")


def test_showing_traces_to_others_takes_the_right_to_read_them(here: Campaign) -> None:
    with pytest.raises(Forbidden, match="audit:read"):
        here.panel(actor=service(here.scene, "gates:write"), source="traces", suite=None)
