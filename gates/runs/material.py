"""What the judging of a run looks at: the answers of both releases with their scores and grades, slice by slice.

Pure. An answer belongs to its case's slice and to every slice above it. Sums over several answers to one case are
taken per case, so that a case weighs once however often it was sampled.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from gates.statistics.arrays import Clusters, Floats, as_floats, exact_mean, spread
from gates.statistics.panel import Ratings, as_ratings, mean_grades, rank_grades
from gates.suite_files.cases import Scale

UNNAMED: Final = "unnamed-"


@dataclass(frozen=True, slots=True)
class Case:
    """A case of the suite: its leaf slice, and the cluster that it shares with others."""

    case_id: str
    slice: str
    cluster_id: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with the judge's score (None: missing) and the grades that people gave it, by rater."""

    case_id: str
    answer_id: str
    score: float | None
    grades: Mapping[str, float] = field(default_factory=dict)
    rescores: tuple[float, ...] = ()
    previous_rescores: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Calibration:
    """Earlier graded answers that the same judge scored, and the age in days of the newest of them.

    `clusters` as in `SliceMaterial.clusters_of`; `measurement` is the id of the judge's calibration that is in it;
    `scale` is that of all their grades, None where it is not known.
    """

    answers: Sequence[Answer]
    age_days: int
    clusters: Clusters | None = None
    measurement: str = ""
    scale: Scale | None = None


@dataclass(frozen=True, slots=True)
class SliceMaterial:
    """Everything about one slice. `previous` is None where the previous release has no comparable scores.

    `uncalibrated` says why the judge has no calibration that holds here, and what to do; empty where it has one.
    """

    cases: Sequence[Case]
    answers: Sequence[Answer]
    previous: Sequence[Answer] | None
    calibration: Calibration | None = None
    foreign_grades: bool = False
    uncalibrated: str = ""

    @property
    def graded(self) -> list[Answer]:
        """Answers of this release that somebody graded."""
        return [answer for answer in self.answers if answer.grades]

    def clusters_of(self, answers: Sequence[Answer]) -> Clusters | None:
        """What is not independent: cases of one cluster, answers to one case; None where every answer stands alone."""
        cluster = {case.case_id: case.cluster_id for case in self.cases}
        several = len({answer.case_id for answer in answers}) < len(answers)
        if not several and not any(cluster.get(answer.case_id) for answer in answers):
            return None
        return [cluster.get(answer.case_id) or ("case", answer.case_id) for answer in answers]

    def case_clusters(self) -> Clusters | None:
        """The clusters of the cases, in their order; None where there are none."""
        return [case.cluster_id for case in self.cases] if any(case.cluster_id for case in self.cases) else None


def by_slice(parents: Mapping[str, str | None], wanted: Iterable[str], cases: Iterable[Case]) -> dict[str, list[Case]]:
    """The cases of each wanted slice: its own and those of every slice below it."""
    found: dict[str, list[Case]] = {slug: [] for slug in wanted}
    lines: dict[str, list[str]] = {}
    for case in cases:
        if case.slice not in lines:
            lines[case.slice] = [slug for slug in _upwards(parents, case.slice) if slug in found]
        for slug in lines[case.slice]:
            found[slug].append(case)
    return found


def _upwards(parents: Mapping[str, str | None], slug: str | None) -> list[str]:
    line: list[str] = []
    while slug is not None and slug not in line:
        line.append(slug)
        slug = parents.get(slug)
    return line


def scores_by_case(cases: Sequence[Case], answers: Iterable[Answer], mapped: Mapping[str, float]) -> Floats:
    """The mean mapped score of each case, NaN where it has none; `mapped` is by answer key (`key_of`)."""
    collected: dict[str, list[float]] = {}
    for answer in answers:
        value = mapped.get(key_of(answer))
        if value is not None:
            collected.setdefault(answer.case_id, []).append(value)
    means = {case_id: exact_mean(values) for case_id, values in collected.items()}
    return as_floats([means.get(case.case_id) for case in cases])


def key_of(answer: Answer) -> str:
    """What tells an answer of one release from the others."""
    return f"{answer.case_id}\n{answer.answer_id}"


def scores_of(answers: Sequence[Answer]) -> Floats:
    """The judge's scores, NaN where missing."""
    return as_floats([answer.score for answer in answers])


@dataclass(frozen=True, slots=True, eq=False)
class Grades:
    """The grades of some answers: `ranks` for agreement, `levels` for quality, in the order of the answers."""

    ratings: Ratings
    ranks: Floats
    levels: Floats

    @property
    def raters(self) -> int:
        """How many different people graded; those without a name count as one."""
        return len(self.ratings)

    @property
    def spread(self) -> float:
        """The standard deviation of the levels."""
        return spread(self.levels[~np.isnan(self.levels)])


def grades_of(answers: Sequence[Answer]) -> Grades:
    """The grades of answers that all have one. Unnamed raters count as one, who gave their mean (rule R10)."""
    columns = [_by_person(answer.grades) for answer in answers]
    raters = sorted({rater for column in columns for rater in column})
    ratings = as_ratings([[column.get(rater) for column in columns] for rater in raters] or np.empty((0, len(answers))))
    levels = mean_grades(ratings)
    return Grades(ratings, levels if len(raters) == 1 else rank_grades(ratings), levels)


def _by_person(grades: Mapping[str, float]) -> Mapping[str, float]:
    unnamed = [grade for rater, grade in grades.items() if rater.startswith(UNNAMED)]
    if not unnamed:
        return grades
    named = {rater: grade for rater, grade in grades.items() if not rater.startswith(UNNAMED)}
    return named | {UNNAMED: exact_mean(unnamed)}
