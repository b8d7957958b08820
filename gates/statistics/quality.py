"""Are the answers good enough? Mean calibrated score of a slice against its floor ("Gate", rule R4).

Scores lie on [0, 1]. The interval is Student's, one-sided 5 % at either end. Constant scores are an answer like any
other here: a perfect release passes.
"""

import math
from dataclasses import dataclass

import numpy as np

from gates.statistics.arrays import Clusters, Floats, Scores, as_floats, codes_of, known
from gates.statistics.distributions import ALPHA, normal_quantile
from gates.statistics.limits import TOLERANCE, meets
from gates.statistics.means import MeanEstimate, estimate_mean
from gates.statistics.planner import POWER
from gates.statistics.policies import UNDECIDABLE, Evidence, Insufficiency, Outcome, decide
from gates.statistics.rules import QualityRule, missing_is_too_much


@dataclass(frozen=True, slots=True)
class QualityResult:
    """Mean calibrated score with everything that led to its verdict; ``low`` and ``high`` are the 90 % interval."""

    rule: QualityRule
    expected: int
    n: int
    mean: float | None
    low: float | None
    high: float | None
    outcome: Outcome
    evidence: Evidence
    reason: Insufficiency | None = None
    p_below: float | None = None
    p_above: float | None = None
    cases_needed: int | None = None

    @property
    def missing(self) -> int:
        """Answers without a usable score."""
        return self.expected - self.n

    @property
    def p(self) -> float | None:
        """The p-value of what was observed: of lying below the floor or, at or above it, of lying above."""
        if self.mean is None or self.rule.floor.value is None:
            return None
        return self.p_above if meets(self.mean, self.rule.floor.value) else self.p_below


def judge_quality(scores: Scores, rule: QualityRule, clusters: Clusters | None = None) -> QualityResult:
    """Judge the calibrated scores of one slice, one per case, None or NaN where the judge gave none."""
    values = as_floats(scores)
    present = ~np.isnan(values)
    _require_unit_range(values[present])
    codes = None if clusters is None else codes_of(clusters)[present]
    estimate = estimate_mean(values[present], codes)
    reason = _reason(rule, expected=len(values), n=estimate.n)
    if reason is not None or rule.floor.value is None:
        return _undecided(rule, len(values), estimate, reason)
    return _decided(rule, rule.floor.value, len(values), estimate)


def _require_unit_range(values: Floats) -> None:
    if len(values) and not (meets(values.min(), 0.0) and meets(1.0, values.max())):
        raise ValueError("a calibrated score lies outside [0, 1]: map the judge's scores first")


def _reason(rule: QualityRule, *, expected: int, n: int) -> Insufficiency | None:
    if expected == 0:
        return Insufficiency.NO_CASES
    if rule.floor.value is None:
        return Insufficiency.NO_FLOOR
    if n < rule.n_min:
        return Insufficiency.TOO_FEW_CASES
    if missing_is_too_much(expected=expected, present=n, missing_max=rule.missing_max):
        return Insufficiency.TOO_MANY_MISSING
    return None


def _clipped_bounds(estimate: MeanEstimate) -> tuple[float, float]:
    low, high = estimate.bounds()
    return float(np.clip(low, 0.0, 1.0)), float(np.clip(high, 0.0, 1.0))


def _undecided(rule: QualityRule, expected: int, estimate: MeanEstimate, reason: Insufficiency | None) -> QualityResult:
    low, high = _clipped_bounds(estimate)
    needed = expected - math.floor(rule.missing_max * expected + TOLERANCE)
    return QualityResult(
        rule=rule,
        expected=expected,
        n=estimate.n,
        mean=known(estimate.mean),
        low=known(low),
        high=known(high),
        outcome=UNDECIDABLE.outcome,
        evidence=UNDECIDABLE.evidence,
        reason=reason,
        cases_needed=max(rule.n_min, needed if reason is Insufficiency.TOO_MANY_MISSING else 0),
    )


def _decided(rule: QualityRule, floor: float, expected: int, estimate: MeanEstimate) -> QualityResult:
    low, high = _clipped_bounds(estimate)
    decision = decide(rule.policy, estimate=estimate.mean, low=low, high=high, limit=floor)
    waits = decision.outcome in (Outcome.REVIEW, Outcome.INSUFFICIENT)
    return QualityResult(
        rule=rule,
        expected=expected,
        n=estimate.n,
        mean=known(estimate.mean),
        low=known(low),
        high=known(high),
        outcome=decision.outcome,
        evidence=decision.evidence,
        p_below=known(estimate.p_below(floor)),
        p_above=known(estimate.p_above(floor)),
        cases_needed=_cases_to_decide(estimate, floor) if waits else None,
    )


def _cases_to_decide(estimate: MeanEstimate, floor: float) -> int | None:
    """Return the cases that prove, 80 % of the time, on which side such a mean lies; None where none will."""
    difference = estimate.mean - floor
    if abs(difference) <= TOLERANCE or math.isnan(estimate.error):
        return None
    reach = (normal_quantile(1 - ALPHA) + normal_quantile(POWER)) * estimate.error
    return max(estimate.n + 1, math.ceil(estimate.n * (reach / difference) ** 2))
