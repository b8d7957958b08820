"""Ratings: grades that people gave to answers of a suite (domain.md "Suite": a grade belongs to an answer).

A rating never changes: the same again is nothing new, another grade by the same rater is refused. The digest of a
suite's cases does not change with them; a gate run pins the ratings that it was judged on.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction

from audit.events import Event
from audit.receipts import Record, append
from gates.calibrations.ending import end_for_grades
from gates.models import GradedAnswer, Rating, Suite, SuiteCase
from gates.runs.gathering import Grades, digest_of_grades, grades_in
from gates.suite_files.cases import MAX_NAME, Scale, read_grade
from gates.suite_files.digests import decimal_text
from gates.suite_rows import copy_rows
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.permissions import WRITE_GATES
from relcontrol.bundle.errors import BundleError
from relcontrol.bundle.reading import Reader
from relcontrol.errors import Conflict, FieldError, Invalid, invalid

FIELDS: Final = ("case_id", "answer_id", "rater", "grade")
MAX_RATINGS: Final = 20_000
MAX_LISTED: Final = 1_000


@dataclass(frozen=True, slots=True)
class NewRating:
    """One grade. `output` is the answer's text where it is known."""

    case_id: str
    answer_id: str
    rater: str
    grade: float
    output: str | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """What a call brought: new ratings, those that were there already, and the digest of all."""

    suite: Suite
    added: int
    known: int
    ratings_sha256: str


@transaction.atomic
def add_ratings(*, actor: Actor, suite: Suite, rows: Sequence[Any], grade_scale: Scale | None = None) -> Added:
    """Add graded answers to a suite: all of them, or `Invalid` with every problem and its row."""
    actor.require(WRITE_GATES)
    locked = Suite.objects.select_for_update(no_key=True).get(pk=suite.pk)
    scale = _agreed_scale(locked, grade_scale)
    ratings = _read(rows, scale, frozenset(SuiteCase.objects.filter(suite=locked).values_list("case_id", flat=True)))
    known = grades_in(locked)
    _refuse_changes(ratings, known)
    fresh = write_ratings(locked, ratings, known)
    if fresh or (scale and not locked.grade_scale):
        locked.grade_scale = list(scale) if scale else None
        locked.save(update_fields=["grade_scale"])
        record_ratings(actor, locked, fresh, known)
    return Added(locked, len(fresh), len(ratings) - len(fresh), digest_of_grades(known))


def write_ratings(suite: Suite, ratings: Iterable[NewRating], known: Grades) -> list[NewRating]:
    """Write those that are not known yet, with the answers that they belong to; `known` has them afterwards."""
    fresh = [row for row in ratings if row.rater not in known.get((row.case_id, row.answer_id), {})]
    if not fresh:
        return []
    cases = dict(SuiteCase.objects.filter(suite=suite).values_list("case_id", "pk"))
    _write_answers({(row.case_id, row.answer_id): row.output for row in fresh}, suite, cases)
    keys = {(case, answer): key for key, case, answer in _answers(suite)}
    copy_rows(
        Rating,
        ("answer_id", "rater", "grade"),
        ((keys[row.case_id, row.answer_id], row.rater, row.grade) for row in fresh),
    )
    for row in fresh:
        known.setdefault((row.case_id, row.answer_id), {})[row.rater] = row.grade
    return fresh


def record_ratings(actor: Actor, suite: Suite, fresh: Sequence[NewRating], all_of_them: Grades) -> None:
    """The receipt of new ratings: how many, and the digest of all there are now. Calibrations on older ones end."""
    leaves = SuiteCase.objects.filter(suite=suite, case_id__in={row.case_id for row in fresh})
    end_for_grades(suite, set(leaves.values_list("slice__slug", flat=True)), len(fresh))
    state = {
        "id": suite.pk,
        "name": suite.name,
        "sha256": suite.sha256,
        "added": len(fresh),
        "grade_scale": [decimal_text(end) for end in suite.grade_scale] if suite.grade_scale else None,
        "ratings_sha256": digest_of_grades(all_of_them),
    }
    append(actor, Record(event=Event.RATINGS_ADDED, outcome="added", kind="suite", name=suite.name, state=state))


def _write_answers(outputs: Mapping[tuple[str, str], str | None], suite: Suite, cases: Mapping[str, int]) -> None:
    there = {(case, answer) for _, case, answer in _answers(suite)}
    new = [(cases[case], answer, text) for (case, answer), text in outputs.items() if (case, answer) not in there]
    copy_rows(GradedAnswer, ("case_id", "answer_id", "output"), new)
    Suite.objects.filter(pk=suite.pk).update(graded_answer_count=len(there) + len(new))


def _answers(suite: Suite) -> Iterable[tuple[int, str, str]]:
    return GradedAnswer.objects.filter(case__suite=suite).values_list("pk", "case__case_id", "answer_id")


def _agreed_scale(suite: Suite, given: Scale | None) -> Scale | None:
    there = (float(suite.grade_scale[0]), float(suite.grade_scale[1])) if suite.grade_scale else None
    if there and given and there != given:
        raise invalid("grade_scale", f"The grades of {suite.name} go from {there[0]:g} to {there[1]:g}.")
    return there or given


def _read(rows: Sequence[Any], scale: Scale | None, cases: frozenset[str]) -> list[NewRating]:
    if not 1 <= len(rows) <= MAX_RATINGS:
        raise invalid("ratings", f"Send 1 to {MAX_RATINGS:,} ratings; this list has {len(rows):,}.")
    errors: list[FieldError] = []
    found: dict[tuple[str, str, str], NewRating] = {}
    for index, row in enumerate(rows):
        try:
            rating = _rating(row, scale, cases)
        except BundleError as error:
            errors += [FieldError(f"ratings[{index}].{p.field}".rstrip("."), p.message) for p in error.problems]
            continue
        key = (rating.case_id, rating.answer_id, rating.rater)
        if key in found:
            errors.append(FieldError(f"ratings[{index}]", "This rater's grade of this answer stands here already."))
        found[key] = rating
    if errors:
        detail = f"Nothing was added: {len(errors):,} of {len(rows):,} rows are wrong. {errors[0].field}: "
        raise Invalid(detail + errors[0].message, code="bad_rows", errors=errors[:MAX_LISTED])
    return list(found.values())


def _rating(row: object, scale: Scale | None, cases: frozenset[str]) -> NewRating:
    reader = Reader()
    fields = reader.closed(row, "", FIELDS)
    case_id, answer_id, rater = (
        reader.text(fields.get(name), name, at_most=MAX_NAME) for name in ("case_id", "answer_id", "rater")
    )
    grade = read_grade(reader, fields.get("grade"), "grade", scale)
    if case_id and case_id not in cases:
        reader.refuse("case_id", f"The suite has no case {case_id[:80]!r}.")
    reader.close()
    return NewRating(case_id, answer_id, rater, grade)


def _refuse_changes(ratings: Sequence[NewRating], known: Grades) -> None:
    changed = [
        FieldError(f"ratings[{index}].grade", f"{row.rater} graded this answer {was:g} before; a rating never changes.")
        for index, row in enumerate(ratings)
        if (was := known.get((row.case_id, row.answer_id), {}).get(row.rater, row.grade)) != row.grade
    ]
    if changed:
        message = "Nothing was added: a rating never changes. Let another rater grade the answer, or leave these out."
        raise Conflict(message, code="rating_differs", errors=changed[:MAX_LISTED])
