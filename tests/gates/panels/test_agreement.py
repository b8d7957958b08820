"""How far raters agree, once a panel is closed: the numbers of gates.statistics on the raw grades, and no others.

SummEval's three experts stand for a real panel: their grades come in as a file and go out as α, ICC and ceiling.
"""

from typing import Any

import numpy as np
import pytest

from gates.panels.agreement import PanelReliability, reliability
from gates.panels.closing import close_panel
from gates.panels.disagreements import adjudicate, disagreements
from gates.panels.importing import import_grades
from gates.slices.services import create_slice
from gates.statistics.reliability import reliability_of
from gates.suite_files.cases import answer_id_of
from relcontrol.errors import Conflict, Forbidden
from tests.gates.panels.scene import Campaign, all_graded, campaign, graded_by, suite_of
from tests.gates.pure import shared_files
from tests.gates.scene import lines, scene

EXPERTS = ("expert-1", "expert-2", "expert-3")
PER_SLICE = 90


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    """The first answers of each of SummEval's four slices."""
    found: dict[str, list[dict[str, Any]]] = {}
    for case in shared_files.cases("summeval_panel30"):
        found.setdefault(case["slice"], []).append(case)
    return [case for cases in found.values() for case in cases[:PER_SLICE]]


def table(rows: list[dict[str, Any]]) -> Any:
    """The raw grades, raters × answers."""
    return np.array([row["human_scores"] for row in rows], dtype=np.float64).T


def imported(here: Campaign, rows: list[dict[str, Any]]) -> PanelReliability:
    """A closed panel with these grades, and how far its raters agree."""
    for slug in sorted({row["slice"] for row in rows}):
        create_slice(actor=here.scene.actor, slug=slug)
    cases = [{"case_id": row["case_id"], "slice": row["slice"], "input": row["input_id"]} for row in rows]
    panel = here.panel(suite=suite_of(here.scene, cases, name="summeval"), raters=())
    grades = [
        {"case_id": row["case_id"], "answer_id": answer_id_of(row["output"]), "rater": rater, "grade": grade}
        for row in rows
        for rater, grade in zip(EXPERTS, row["human_scores"], strict=True)
    ]
    done = import_grades(actor=here.manager, panel=panel, body=lines(grades), file_format="jsonl")
    assert (done.added, done.raters) == (3 * len(rows), 3)
    return reliability(actor=here.manager, panel=close_panel(actor=here.manager, panel=panel))


@pytest.mark.django_db
def test_three_experts_of_summeval_agree_as_their_raw_grades_do(rows: list[dict[str, Any]]) -> None:
    found = imported(campaign(scene()), rows)
    whole = reliability_of(table(rows))
    assert found.n == len(rows)
    assert found.reliability.alpha == pytest.approx(whole.alpha, abs=1e-12)
    assert found.reliability.icc == whole.icc
    assert found.reliability.ceiling == whole.ceiling
    assert [(each.key, each.n) for each in found.raters] == [(name, len(rows)) for name in EXPERTS]
    assert [each.rho for each in found.raters] == pytest.approx(list(whole.leave_one_out), abs=1e-12)
    for each in found.slices:
        assert each.slice
        own = reliability_of(table([row for row in rows if row["slice"] == each.slice.slug]))
        assert (each.n, each.reliability.raters) == (PER_SLICE, 3)
        assert each.reliability.alpha == pytest.approx(own.alpha, abs=1e-12)
        assert each.reliability.ceiling == pytest.approx(own.ceiling, abs=1e-12)
    assert len(found.slices) == 4


def test_grades_that_were_set_aside_do_not_count(here: Campaign) -> None:
    panel = here.panel()
    all_graded(here, panel, 5, 4, 1)
    each = disagreements(actor=here.manager, panel=panel)[0]
    adjudicate(actor=here.manager, item=each.item, decision="set_aside", rater="A", reason="A slip of the key.")
    found = reliability(actor=here.manager, panel=close_panel(actor=here.manager, panel=panel))
    assert sorted(one.n for one in found.raters) == [3, 4, 4]
    assert {one.label for one in found.raters} == {"ada", "bea", "cyd"}


def test_with_two_raters_none_stands_against_the_others(here: Campaign) -> None:
    panel = here.panel(raters=here.emails[:2])
    for each, grade in zip(here.experts[:2], (5, 2), strict=True):
        graded_by(panel, each, grade)
    found = reliability(actor=here.manager, panel=close_panel(actor=here.manager, panel=panel))
    assert [(one.n, one.rho) for one in found.raters] == [(6, None), (6, None)]
    assert found.reliability.raters == 2


def test_it_is_shown_to_nobody_before_the_end_and_to_managers_after_it(here: Campaign) -> None:
    panel = here.panel()
    all_graded(here, panel, 5, 4, 3)
    with pytest.raises(Conflict):
        reliability(actor=here.manager, panel=panel)
    closed = close_panel(actor=here.manager, panel=panel)
    assert reliability(actor=here.manager, panel=closed).n == 6
    with pytest.raises(Forbidden):
        reliability(actor=here.experts[0], panel=closed)
