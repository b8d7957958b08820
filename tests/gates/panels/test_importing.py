"""Grades from files: all rows or every problem with its row, the same again is nothing new, names are kept."""

import json
from typing import Any

import pytest

from gates.panel_models import Panel, PanelItem, PanelTask
from gates.panels.closing import close_panel
from gates.panels.importing import Imported, import_grades
from relcontrol.errors import Conflict, Forbidden, Invalid
from tests.gates.panels.scene import Campaign, all_graded, service
from tests.gates.scene import lines

CSV = "case_id,answer_id,rater,grade\nc1,r127-1,Dee,4\nc2,r127-2,Dee,2.5\n"


def row(number: int, grade: Any = 4, rater: str = "Dee", **changes: Any) -> dict[str, Any]:
    """A grade of one of the suite's answers."""
    return {"case_id": f"c{number}", "answer_id": f"r127-{number}", "rater": rater, "grade": grade, **changes}


def brought(here: Campaign, panel: Panel, *rows: Any, file_format: str = "jsonl", body: bytes = b"") -> Imported:
    """Import these rows as the manager."""
    return import_grades(actor=here.manager, panel=panel, body=body or lines(rows), file_format=file_format)


def test_named_raters_count_beside_those_who_grade_here(here: Campaign) -> None:
    panel = here.panel()
    done = brought(here, panel, *(row(number, rater=name) for number in range(6) for name in ("Dee", "Eve")))
    assert (done.added, done.known, done.raters) == (12, 0, 2)
    all_graded(here, panel, 5, 4, 3)
    close_panel(actor=here.manager, panel=panel)
    assert here.ratings().count() == 24


def test_csv_says_the_same_with_columns_in_any_order(here: Campaign) -> None:
    panel = here.panel()
    assert brought(here, panel, body=CSV.encode(), file_format="csv").added == 2
    turned = "grade,rater,answer_id,case_id\n4,Dee,r127-1,c1\n"
    assert brought(here, panel, body=b"\xef\xbb\xbf" + turned.encode(), file_format="csv").known == 1
    assert set(PanelTask.objects.filter(person=None).values_list("rater", "grade")) == {("Dee", 4.0), ("Dee", 2.5)}


def test_the_same_file_again_changes_nothing(here: Campaign) -> None:
    panel = here.panel()
    brought(here, panel, row(1), row(2))
    receipts = len(here.scene.receipts())
    again = brought(here, panel, row(1), row(2))
    assert (again.added, again.known) == (0, 2)
    assert (PanelTask.objects.filter(person=None).count(), len(here.scene.receipts())) == (2, receipts)


def test_another_grade_by_the_same_rater_is_refused_with_its_row(here: Campaign) -> None:
    panel = here.panel()
    brought(here, panel, row(1))
    with pytest.raises(Conflict) as refused:
        brought(here, panel, row(2), row(1, grade=5))
    assert [error.field for error in refused.value.errors] == ["row 2"]
    assert PanelTask.objects.filter(person=None).count() == 1


def test_every_problem_is_told_with_its_row_and_nothing_is_added(here: Campaign) -> None:
    panel = here.panel()
    wrong = [
        row(1),
        row(1, grade=6),
        row(2, grade="4"),
        row(2, rater=""),
        row(2, rater="prn_0"),
        row(2, extra=1),
        {"case_id": "c2"},
        row(3),
        row(3),
    ]
    body = lines(wrong) + b"{not json\n"
    with pytest.raises(Invalid) as refused:
        brought(here, panel, body=body)
    rows = [error.field for error in refused.value.errors]
    assert list(dict.fromkeys(rows)) == [f"row {number}" for number in (2, 3, 4, 5, 6, 7, 9, 10)]
    assert "8 of 10 rows are wrong" in refused.value.detail
    assert not PanelTask.objects.filter(person=None).exists()


def test_answers_that_the_panel_does_not_ask_about_are_refused_with_their_rows(here: Campaign) -> None:
    panel = here.panel(slices=["ip-licensing"])
    with pytest.raises(Invalid) as refused:
        brought(here, panel, row(0), row(1), row(9))
    assert [error.field for error in refused.value.errors] == ["row 2", "row 3"]


BAD_FILES = {
    "nothing": (b"", "jsonl", "has 0"),
    "a header alone": (b"case_id,answer_id,rater,grade\n", "csv", "has 0"),
    "other columns": (b"case,answer,rater,grade\n1,2,3,4\n", "csv", "first row must name"),
    "a short row": (b"case_id,answer_id,rater,grade\nc1,r127-1,Dee\n", "csv", "3 cells for 4 columns"),
    "no number": (b"case_id,answer_id,rater,grade\nc1,r127-1,Dee,good\n", "csv", "is no number"),
    "not a number": (b"case_id,answer_id,rater,grade\nc1,r127-1,Dee,nan\n", "csv", "finite number"),
    "a broken quote": (b'case_id,answer_id,rater,grade\nc1,"r1\n', "csv", "Not CSV"),
    "other letters": ("case_id,answer_id,rater,grade\nc1,a,D\xe9,4\n".encode("latin-1"), "csv", "UTF-8"),
    "yaml": (b"- case_id: c1\n", "yaml", "one of jsonl, csv"),
}


@pytest.mark.parametrize(("body", "file_format", "said"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_file_that_cannot_be_read_is_refused_in_words(
    here: Campaign, body: bytes, file_format: str, said: str
) -> None:
    with pytest.raises(Invalid) as refused:
        import_grades(actor=here.manager, panel=here.panel(), body=body, file_format=file_format)
    assert said in refused.value.detail
    assert not PanelTask.objects.filter(person=None).exists()


def test_a_panel_without_raters_takes_any_answer_to_a_case_of_its_suite(here: Campaign) -> None:
    panel = here.panel(raters=())
    assert (panel.raters_per_answer, panel.items.count()) == (0, 0)
    brought(here, panel, row(1), row(2, answer_id="new"))
    texts = dict(PanelItem.objects.filter(panel=panel).values_list("answer_id", "output"))
    assert texts == {"r127-1": "Answer 1.", "new": ""}
    with pytest.raises(Invalid, match="no case 'c9'"):
        brought(here, panel, row(9))


def test_a_panel_without_raters_is_closed_like_any_other(here: Campaign) -> None:
    panel = here.panel(raters=())
    brought(here, panel, row(1, rater="Dee"), row(1, rater="Eve", grade=2))
    close_panel(actor=here.manager, panel=panel)
    assert set(here.ratings().values_list("rater", "grade")) == {("Dee", 4.0), ("Eve", 2.0)}


def test_a_panel_that_is_over_takes_no_file(here: Campaign) -> None:
    panel = here.panel(raters=())
    brought(here, panel, row(1))
    close_panel(actor=here.manager, panel=panel)
    with pytest.raises(Conflict, match="closed already"):
        brought(here, panel, row(2))


def test_an_expert_brings_no_grades_and_a_service_token_may(here: Campaign) -> None:
    panel, body = here.panel(), json.dumps(row(1)).encode()
    with pytest.raises(Forbidden):
        import_grades(actor=here.experts[0], panel=panel, body=body, file_format="jsonl")
    done = import_grades(actor=service(here.scene, "gates:write"), panel=panel, body=body, file_format="jsonl")
    assert done.added == 1


def test_the_receipt_says_how_many_and_names_nobody(here: Campaign) -> None:
    panel = here.panel()
    brought(here, panel, row(1), row(2, rater="Eve"))
    last = here.scene.receipts()[-1]
    assert (last.outcome, last.subject) == ("imported", f"panel:{panel.name}")
