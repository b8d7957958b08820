"""Graded answers that a judge scored earlier, as a gate run rests on them where its own answers have too few grades.

A calibration gives its scores while it holds; the grades are read fresh, and where they are others than those that it
was measured on, it gives nothing.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from gates.calibrations.panels import graded_answers, panel_digest
from gates.calibrations.standing import valid_calibrations
from gates.judge_models import AnchorCheck, Calibration, CalibrationScore
from gates.models import Slice, Suite
from gates.runs.material import Answer
from gates.suite_files.cases import Scale
from relcontrol.accounts.models import Organization

MOVED = "moved"

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class EarlierAnswer:
    """An answer with its score and grades; `grade_scale` and `cluster` are its suite's."""

    answer: Answer
    cluster: Key | None
    grade_scale: Scale | None

    def on_scale(self, scale: Scale | None) -> Answer:
        """With its grades on another suite's scale, where both scales are known."""
        if scale is None or self.grade_scale is None or scale == self.grade_scale:
            return self.answer
        (low, high), (lowest, highest) = self.grade_scale, scale
        stretch = (highest - lowest) / (high - low)
        grades = {rater: lowest + (grade - low) * stretch for rater, grade in self.answer.grades.items()}
        return replace(self.answer, grades=grades)


@dataclass(frozen=True, slots=True)
class Earlier:
    """Answers by suite and case and by answer, the time of the newest score, and the calibration that is in it."""

    answers: Mapping[Key, EarlierAnswer]
    at: datetime
    measurement: str = ""


def earlier_answer(
    suite: Suite, case_id: str, answer_id: str, cluster: str | None, score: float | None, grades: Mapping[str, float]
) -> tuple[Key, EarlierAnswer]:
    """An answer of a suite, with the key that it has among those of all suites."""
    name, scale = f"{suite.sha256} {case_id}", suite.grade_scale
    return (name, answer_id), EarlierAnswer(
        answer=Answer(name, answer_id, score, grades),
        cluster=(suite.sha256, cluster) if cluster else None,
        grade_scale=(float(scale[0]), float(scale[1])) if scale else None,
    )


def measurements_that_hold(
    organization: Organization, judges: Mapping[str, str], slugs: Collection[str], at: datetime
) -> dict[str, Earlier]:
    """What the calibration of each slice's judge rests on, by slug; `judges` are digests by slug."""
    keys = slice_keys(organization, slugs)
    pairs = {slug: (key, judges[slug]) for slug, key in keys.items() if slug in judges}
    holding = valid_calibrations(organization, pairs.values(), at)
    found = {slug: _answers(holding[pair]) for slug, pair in pairs.items() if pair in holding}
    return {slug: earlier for slug, earlier in found.items() if earlier is not None}


def slice_keys(organization: Organization, slugs: Collection[str]) -> dict[str, str]:
    """The id of each of these slices."""
    return dict(Slice.objects.filter(organization=organization, slug__in=slugs).values_list("slug", "pk"))


def judges_moved(organization: Organization, judges: Mapping[str, str]) -> dict[str, datetime]:
    """When a nightly check last found the judge of a slice moved, by slug."""
    rows = AnchorCheck.objects.filter(organization=organization, outcome=MOVED, calibration__slice__slug__in=judges)
    columns = ("calibration__slice__slug", "calibration__judge_sha256", "finished_at")
    found = rows.order_by("finished_at").values_list(*columns)
    return {slug: at for slug, sha256, at in found if judges[slug] == sha256}


def _answers(calibration: Calibration) -> Earlier | None:
    suite = calibration.run.suite
    rows = graded_answers(suite, calibration.document["members"])
    if panel_digest(rows) != calibration.panel_sha256:
        return None
    scores = dict(CalibrationScore.objects.filter(run=calibration.run_id).values_list("answer_id", "score"))
    answers = dict(
        earlier_answer(suite, row.case_id, row.answer_id, row.cluster_id, scores.get(row.key), row.grades)
        for row in rows
    )
    return Earlier(answers, calibration.measured_at, calibration.run_id)
