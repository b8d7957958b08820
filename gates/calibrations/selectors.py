"""Finding calibrations, and judges side by side on one slice."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import QuerySet

from gates.calibrations.comparing import Comparison, Side, compare
from gates.calibrations.panels import graded_answers
from gates.calibrations.standing import Badge, badges
from gates.judge_models import Calibration, CalibrationRun, CalibrationScore
from gates.judges import scale_of
from gates.models import Judge, Slice
from gates.runs.material import Answer, grades_of
from relcontrol.accounts.models import Organization
from relcontrol.accounts.selectors import found
from relcontrol.errors import NotFound

MOST_COMPARED: Final = 20


def calibrations_of(organization: Organization) -> QuerySet[CalibrationRun]:
    """Calibrations of an organization, newest first, without sent scores."""
    rows = CalibrationRun.objects.filter(organization=organization).select_related("organization", "judge", "suite")
    return rows.prefetch_related("calibrations__slice", "calibrations__run__suite").defer("body").order_by("-pk")


def calibration_named(organization: Organization, key: str) -> CalibrationRun:
    """The calibration with this id (cal_…)."""
    if "\0" in key:
        raise NotFound("There is no such calibration here.")  # PostgreSQL keeps no text with it
    return found(calibrations_of(organization), "calibration", pk=key)


@dataclass(frozen=True, slots=True)
class Compared:
    """A judge's newest measurement on a slice; `against` compares it with the best one, on the answers of both."""

    judge: Judge
    calibration: Calibration
    badge: Badge
    against: Comparison | None


def compared(of: Slice, now: datetime) -> list[Compared]:
    """Every judge that was measured on a slice, the one that agrees best with the experts first."""
    rows = Calibration.objects.filter(slice=of).select_related("judge", "slice", "run__suite").defer("run__body")
    newest = rows.order_by("judge_sha256", "-pk").distinct("judge_sha256")
    ordered = sorted(newest, key=lambda row: (row.rho is None, -(row.rho or 0.0), row.judge.name))[:MOST_COMPARED]
    told = badges(of.organization, [(of.pk, row.judge_sha256) for row in ordered], now)
    best = ordered[0] if ordered else None
    return [
        Compared(
            judge=row.judge,
            calibration=row,
            badge=told[of.pk, row.judge_sha256],
            against=scores_compared(row, best) if best and row is not best else None,
        )
        for row in ordered
    ]


def scores_compared(new: Calibration, old: Calibration) -> Comparison | None:
    """Two measurements on the answers that both have, of the same suite; None where they share none."""
    scores, before = scores_of_calibration(new), scores_of_calibration(old)
    return compare_on_common(new, scores, old.judge, before)


def scores_of_calibration(calibration: Calibration) -> dict[int, float | None]:
    """The scores that a measurement of a slice rests on, by graded answer."""
    rows = CalibrationScore.objects.filter(run=calibration.run_id)
    of_slice = rows.filter(answer__case__slice__slug__in=calibration.document["members"])
    return dict(of_slice.values_list("answer_id", "score"))


def compare_on_common(
    new: Calibration, scores: dict[int, float | None], judge: Judge, before: dict[int, float | None]
) -> Comparison | None:
    """`scores` of the judge of `new` against `before` of `judge`, on the graded answers of the slice of `new`."""
    answers = [
        answer
        for answer in graded_answers(new.run.suite, new.document["members"])
        if answer.key in scores and answer.key in before
    ]
    if not answers:
        return None
    grades = grades_of([Answer(answer.case_id, answer.answer_id, None, answer.grades) for answer in answers])
    clustered = any(answer.cluster_id for answer in answers)
    return compare(
        grades.ranks,
        Side([scores[answer.key] for answer in answers], scale_of(new.judge)),
        Side([before[answer.key] for answer in answers], scale_of(judge)),
        [answer.cluster_id for answer in answers] if clustered else None,
    )
