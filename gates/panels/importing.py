"""Grades that were given elsewhere, brought into an open panel with the names of who gave them.

All rows or none. The same file again changes nothing. A panel with raters takes grades of its own answers; one without
takes those of any answer to a case of its suite.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from gates.models import GradedAnswer, SuiteCase
from gates.panel_models import Panel, PanelItem, PanelTask
from gates.panels import access
from gates.panels.assigning import shuffled
from gates.panels.grade_files import Grade, problem_in, read_grades, refuse
from gates.panels.receipts import record
from relcontrol.accounts.actors import Actor
from relcontrol.clock import now
from relcontrol.errors import Conflict, FieldError, invalid

INSERTED_AT_ONCE = 1_000

Key = tuple[str, str]  # case_id and answer_id


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file brought: new grades, those that were there already, and how many raters it names."""

    panel: Panel
    added: int
    known: int
    raters: int


@transaction.atomic
def import_grades(*, actor: Actor, panel: Panel, body: bytes, file_format: str) -> Imported:
    """Add the grades of a file: all of them, or `Invalid` with every problem and its row."""
    row = access.locked_panel(actor, panel)
    access.require(access.may_manage(actor, row))
    access.require_open(row)
    if row.suite is None:
        raise invalid("panel", "Grades of a file belong to a suite's answers; this panel grades live traces.")
    low, high = row.scale
    grades = read_grades(body, file_format, (low, high))
    items = _items(row, grades)
    known = _known(row)
    _refuse_changes(grades, known)
    fresh = [each for each in grades if (each.case_id, each.answer_id, each.rater) not in known]
    _write(row, fresh, items)
    raters = len({each.rater for each in grades})
    if fresh:
        record(actor, row, "imported", {"added": len(fresh), "raters": raters})
    return Imported(row, len(fresh), len(grades) - len(fresh), raters)


def _items(panel: Panel, grades: Sequence[Grade]) -> dict[Key, PanelItem]:
    """The panel's answers; in a panel without raters those that the file names are added."""
    rows = PanelItem.objects.filter(panel=panel, case__isnull=False).values_list("case__case_id", "answer_id", "pk")
    items = {(case_id, answer_id): PanelItem(pk=key) for case_id, answer_id, key in rows}
    missing = [each for each in grades if (each.case_id, each.answer_id) not in items]
    if panel.raters_per_answer:
        said = "This panel has no answer {answer!r} to a case {case!r}."
        refuse([_unknown(each, said) for each in missing], len(grades))
        return items
    cases = {case_id: (key, of) for case_id, key, of in _cases(panel)}
    said = "The suite has no case {case!r}."
    refuse([_unknown(each, said) for each in missing if each.case_id not in cases], len(grades))
    keys = sorted({(each.case_id, each.answer_id) for each in missing})
    texts = _texts(panel)
    made = [
        PanelItem(
            panel=panel,
            case_id=cases[case_id][0],
            slice_id=cases[case_id][1],
            answer_id=answer_id,
            output=texts.get((case_id, answer_id)) or "",
        )
        for case_id, answer_id in keys
    ]
    return items | dict(zip(keys, PanelItem.objects.bulk_create(made, batch_size=INSERTED_AT_ONCE), strict=True))


def _cases(panel: Panel) -> Sequence[tuple[str, int, str]]:
    return list(SuiteCase.objects.filter(suite=panel.suite).values_list("case_id", "pk", "slice_id"))


def _texts(panel: Panel) -> dict[Key, str | None]:
    rows = GradedAnswer.objects.filter(case__suite=panel.suite)
    return {(case, answer): text for case, answer, text in rows.values_list("case__case_id", "answer_id", "output")}


def _unknown(grade: Grade, said: str) -> FieldError:
    return problem_in(grade.row, said.format(case=grade.case_id[:80], answer=grade.answer_id[:80]))


def _known(panel: Panel) -> dict[tuple[str, str, str], float]:
    rows = PanelTask.objects.filter(panel=panel, person__isnull=True, grade__isnull=False)
    columns = rows.values_list("item__case__case_id", "item__answer_id", "rater", "grade")
    return {(case_id, answer_id, rater): grade or 0.0 for case_id, answer_id, rater, grade in columns}


def _refuse_changes(grades: Sequence[Grade], known: dict[tuple[str, str, str], float]) -> None:
    changed = [
        problem_in(each.row, f"{each.rater} graded this answer before, and otherwise; a grade never changes.")
        for each in grades
        if known.get((each.case_id, each.answer_id, each.rater), each.grade) != each.grade
    ]
    if changed:
        message = f"Nothing was added: {len(changed):,} grades are others than those that were brought before."
        raise Conflict(message, code="rating_differs", errors=changed)


def _write(panel: Panel, fresh: Sequence[Grade], items: dict[Key, PanelItem]) -> None:
    """In an order by chance, as disagreements name raters A, B, C by it."""
    places: dict[str, int] = {}
    rows = {}
    for each in fresh:
        places[each.rater] = places.get(each.rater, 0) + 1
        rows[f"{each.row}"] = PanelTask(
            panel=panel,
            item=items[each.case_id, each.answer_id],
            rater=each.rater,
            place=places[each.rater],
            state=PanelTask.State.RATED,
            grade=each.grade,
            decided_at=now(),
        )
    mixed = shuffled(rows, panel.seed, "letters")
    PanelTask.objects.bulk_create((rows[key] for key in mixed), batch_size=INSERTED_AT_ONCE)
