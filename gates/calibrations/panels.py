"""The graded answers of a suite, slice by slice: what judges are measured on.

An answer belongs to its case's slice and to every slice above it (rule R7). `panel_digest` is what a calibration keeps
of the grades of a slice: other grades end it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from gates.models import GradedAnswer, Rating, Slice, Suite
from gates.suite_files.digests import ratings_digest
from relcontrol.accounts.models import Organization

CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class GradedRow:
    """An answer that has grades, by rater; `has_text` tells whether relcontrol can score it."""

    key: int
    case_id: str
    answer_id: str
    slice: str
    cluster_id: str | None
    has_text: bool
    grades: Mapping[str, float]


def parents_of(organization: Organization) -> dict[str, str | None]:
    """Each slice's parent, by slug."""
    return dict(Slice.objects.filter(organization=organization).values_list("slug", "parent__slug"))


def leaves_below(parents: Mapping[str, str | None], slug: str, present: Collection[str]) -> frozenset[str]:
    """Those of the slices in `present` that are this one or lie below it."""
    return frozenset(each for each in present if slug in line_of(parents, each))


def line_of(parents: Mapping[str, str | None], slug: str | None) -> list[str]:
    """A slice and all above it, the nearest first."""
    line: list[str] = []
    while slug is not None and slug not in line:
        line.append(slug)
        slug = parents.get(slug)
    return line


def graded_answers(suite: Suite, leaves: Collection[str] | None = None) -> list[GradedRow]:
    """Every answer with a grade, by case and answer; only of these slices, where they are given."""
    ratings, answers = Rating.objects.filter(answer__case__suite=suite), GradedAnswer.objects.filter(case__suite=suite)
    if leaves is not None:
        ratings = ratings.filter(answer__case__slice__slug__in=leaves)
        answers = answers.filter(case__slice__slug__in=leaves)
    grades: dict[int, dict[str, float]] = {}
    for key, rater, grade in ratings.values_list("answer_id", "rater", "grade").iterator(CHUNK):
        grades.setdefault(key, {})[rater] = grade
    columns = ("pk", "case__case_id", "answer_id", "case__slice__slug", "case__cluster_id")
    rows = answers.order_by("case__case_id", "answer_id").values_list(*columns)
    texts = frozenset(answers.filter(output__isnull=False).values_list("pk", flat=True))
    return [
        GradedRow(key, case_id, answer_id, leaf, cluster, key in texts, grades[key])
        for key, case_id, answer_id, leaf, cluster in rows.iterator(CHUNK)
        if key in grades
    ]


def panel_digest(answers: Iterable[GradedRow]) -> str:
    """The digest of the grades of these answers (contracts.md "ratings")."""
    return ratings_digest(
        ((answer.case_id, answer.answer_id, rater), grade)
        for answer in answers
        for rater, grade in answer.grades.items()
    )


def spread_over_slices(answers: Sequence[GradedRow]) -> list[GradedRow]:
    """The same answers, one of each slice in turn, so that the first few of them are of every slice."""
    by_slice: dict[str, list[GradedRow]] = {}
    for answer in answers:
        by_slice.setdefault(answer.slice, []).append(answer)
    turns = [(place, slug, answer) for slug, own in by_slice.items() for place, answer in enumerate(own)]
    return [answer for _, _, answer in sorted(turns, key=lambda turn: turn[:2])]
