"""What the calibration of a judge on one slice is: every number of rule R10, and what it means in words.

Pure. Ranks decide (agreement with the panel against the slice's threshold, under the policy `guarded`); levels, draws
and fresh scores are shown beside it, so that a domain owner sees how far a score may be trusted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from gates.statistics.arrays import Clusters, Floats, Scores, as_floats
from gates.statistics.calibration import CalibrationResult, calibrate, calibration_rule
from gates.statistics.consistency import SelfConsistency, pooled_deviation, self_consistency
from gates.statistics.limits import shown, shown_size
from gates.statistics.panel import Ratings, mean_grades
from gates.statistics.policies import Insufficiency
from gates.statistics.scales import HeldOutError, IsotonicMap, fit_isotonic, held_out_error
from gates.statistics.sentences import calibration_sentences, counted
from gates.suite_files.cases import Scale

POINTS: Final = 100.0
FEWEST_RESCORED: Final = 2  # answers; fewer say nothing of a deviation
PANEL_REASONS: Final = frozenset({Insufficiency.TOO_FEW_RATERS, Insufficiency.PANEL_TOO_NOISY})


@dataclass(frozen=True, slots=True, eq=False)
class SliceScores:
    """The graded answers of one slice, in one order everywhere.

    `ratings` are raters × answers, `scores` the judge's on `scale` (None where it gave none); `draws` the single draws
    of each answer and `rescored` the scores of those that were scored again, the first one included. `problems` say
    why scores are missing.
    """

    ratings: Ratings
    scores: Scores
    threshold: float
    scale: Scale
    grade_scale: Scale | None = None
    clusters: Clusters | None = None
    draws: Sequence[Scores] = ()
    rescored: Sequence[Sequence[float]] = ()
    problems: Sequence[str] = field(default=())


@dataclass(frozen=True, slots=True)
class Measurement:
    """The verdict, the re-score deviation in points of 100 of the judge's scale, and the document that is kept."""

    result: CalibrationResult
    rescore_sd: float | None
    document: dict[str, Any]


def measure(slice_scores: SliceScores) -> Measurement:
    """Judge a judge on one slice."""
    given = slice_scores
    result = calibrate(given.ratings, given.scores, calibration_rule(given.threshold), given.clusters)
    levels = _levels(given)
    scores = as_floats(given.scores)
    error = held_out_error(scores, levels)
    consistency = self_consistency(given.draws) if len(given.draws) else None
    again = [scored for scored in given.rescored if len(scored) > 1]
    deviation = pooled_deviation(again) if len(again) >= FEWEST_RESCORED else None
    points = None if deviation is None else deviation * _points_per_unit(given.scale)
    document = {
        **_agreement(result),
        **_panel(result),
        "baseline": _baseline(error),
        "map": _map(scores, levels, given.grade_scale),
        "self_consistency": _consistency(consistency, given.scale),
        "rescore_sd": points,
        "rescored": len(again),
        "reasons": [*_reasons(result, given), *_beside(error, consistency, points, given)],
    }
    return Measurement(result, points, document)


def _points_per_unit(scale: Scale) -> float:
    return POINTS / (scale[1] - scale[0])


def _levels(given: SliceScores) -> Floats:
    """The mean grade of each answer, on [0, 1] where the scale of grades is known."""
    means = mean_grades(given.ratings)
    if given.grade_scale is None:
        return means
    low, high = given.grade_scale
    levels: Floats = (means - low) / (high - low)
    return levels


def _agreement(result: CalibrationResult) -> dict[str, Any]:
    found = result.agreement
    return {
        "outcome": str(result.outcome),
        "evidence": str(result.evidence),
        "reason": None if result.reason is None else str(result.reason),
        "threshold": found.rule.threshold,
        "policy": str(found.rule.policy),
        "n_min": found.rule.n_min,
        "rho": found.rho,
        "ci90": None if found.low is None or found.high is None else [found.low, found.high],
        "p": found.p,
        "n": found.n,
        "graded": found.graded,
        "coverage": found.n / found.graded if found.graded else None,
        "cases_needed": found.cases_needed,
    }


def _panel(result: CalibrationResult) -> dict[str, Any]:
    """Raters stand by number, in the order of their names: whom a number means is the panel's to tell."""
    reliability = result.reliability
    return {
        "raters": reliability.raters,
        "alpha": reliability.alpha,
        "icc": reliability.icc.c_panel if reliability.icc else None,
        "ceiling": reliability.ceiling,
        "share_of_ceiling": result.share_of_ceiling,
        "leave_one_out": [
            {"rater": number, "rho": rho} for number, rho in enumerate(reliability.leave_one_out, start=1)
        ],
    }


def _baseline(error: HeldOutError | None) -> dict[str, Any] | None:
    return None if error is None else {"map": error.map, "constant": error.constant}


def _map(scores: Floats, levels: Floats, grade_scale: Scale | None) -> dict[str, Any] | None:
    """The isotonic map from score to mean grade; `unit` where its levels are on [0, 1]."""
    try:
        fitted: IsotonicMap = fit_isotonic(scores, levels)
    except ValueError:  # nothing is both graded and scored
        return None
    return {"scores": list(fitted.scores), "levels": list(fitted.levels), "unit": grade_scale is not None}


def _consistency(found: SelfConsistency | None, scale: Scale) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "answers": found.answers,
        "draws": found.draws,
        "sd": found.deviation * _points_per_unit(scale),
        "equal": found.equal,
        "rho": found.rho,
    }


def _reasons(result: CalibrationResult, given: SliceScores) -> list[str]:
    """What decides; then what was measured all the same, and why scores are missing."""
    sentences = list(calibration_sentences(result, "graded answer"))
    found = result.agreement
    if result.reason in PANEL_REASONS and found.rho is not None:
        answers = counted(found.n, "graded answer")
        sentences.append(f"Agreement of judge and experts is {shown(found.rho)} on {answers}, and is not judged.")
    return [*sentences, *_missing(result, given)] if found.missing else sentences


def _missing(result: CalibrationResult, given: SliceScores) -> list[str]:
    """How many answers have no score, where that does not stand there already, and why."""
    found, why = result.agreement, _why(given)
    verb = "has" if found.missing == 1 else "have"
    told = result.reason is Insufficiency.TOO_MANY_MISSING
    count = [] if told else [f"{counted(found.missing, 'answer')} of {found.graded:,} {verb} no score."]
    return [*count, *([why] if why else [])]


def _why(given: SliceScores) -> str:
    """The problem that most of the missing scores had."""
    problems = [problem for problem in given.problems if problem]
    if not problems:
        return ""
    commonest = max(sorted(set(problems)), key=problems.count)
    return f"{'Most often' if len(set(problems)) > 1 else 'Why'}: {commonest}"


def _beside(
    error: HeldOutError | None, consistency: SelfConsistency | None, points: float | None, given: SliceScores
) -> list[str]:
    """What decides nothing here and helps to read a score."""
    sentences = []
    if error is not None:
        sentences.append(_baseline_sentence(error))
    if consistency is not None:
        spread = shown_size(consistency.deviation * _points_per_unit(given.scale), 1)
        sentences.append(f"Draws for the same answer differ by {spread} points of 100 (standard deviation).")
    if points is not None:
        sentences.append(
            f"Scored again, an answer moves by {shown_size(points, 1)} points of 100 (standard deviation)."
        )
    return sentences


def _baseline_sentence(error: HeldOutError) -> str:
    own, constant = shown_size(error.map), shown_size(error.constant)
    if error.map < error.constant:
        return f"Read from its score, a grade is off by {own}; always saying the mean grade is off by {constant}."
    return f"Always saying the mean grade is as near to the experts (off by {constant}) as its scores are ({own})."
