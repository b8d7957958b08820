"""Comparison with the previous release on common cases (rule R8).

Quality by Student's paired t-test; agreement by the paired influence-function test on the Fisher scale. Both are
one-sided at 5 % in either direction.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from gates.statistics.arrays import Clusters, Floats, Ints, Scores, as_floats, codes_of, exact_mean, known
from gates.statistics.distributions import SHOWN_LEVEL, normal_cdf, two_sided_quantile
from gates.statistics.holm import holm_rejected
from gates.statistics.limits import TOLERANCE
from gates.statistics.means import ROUNDING, estimate_mean
from gates.statistics.ranks import ALONE
from gates.statistics.spearman import CLIP, correlate, fisher, mean_error


class Movement(StrEnum):
    """What became of a slice since the previous release."""

    DROPPED = "dropped"
    IMPROVED = "improved"
    NO_PROVEN_CHANGE = "no_proven_change"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class PairedTest:
    """New against old on ``n`` common cases; None where a number does not exist.

    ``difference`` is new − old with its 90 % interval ``low``, ``high``; ``statistic`` is t or z, None where every
    case moved alike (it is infinite then); ``p_drop`` is small where the drop is proven, ``p_gain`` where the gain is.
    """

    n: int
    new: float | None
    old: float | None
    difference: float | None
    statistic: float | None
    p_drop: float | None
    p_gain: float | None
    low: float | None
    high: float | None

    @property
    def p_shift(self) -> float | None:
        """The two-sided p-value: small where a shift in either direction is proven (recalibration, rule R10)."""
        if self.p_drop is None or self.p_gain is None:
            return None
        return min(1.0, 2 * min(self.p_drop, self.p_gain))


def paired_level(new: Scores, old: Scores, clusters: Clusters | None = None) -> PairedTest:
    """Compare calibrated scores case by case; a case without both scores is left out."""
    (new_values, old_values), codes = _common([new, old], clusters)
    test = estimate_mean(new_values - old_values, codes)
    t, (low, high) = test.statistic(0.0), test.bounds()
    return PairedTest(
        n=test.n,
        new=known(exact_mean(new_values)),
        old=known(exact_mean(old_values)),
        difference=known(test.mean),
        statistic=known(t),
        p_drop=known(test.p_below(0.0)),
        p_gain=known(test.p_above(0.0)),
        low=known(low),
        high=known(high),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Graded:
    """Human grades and judge scores of one release's own answers, by common case."""

    human: Scores
    judge: Scores


def paired_agreement(new: Graded, old: Graded, clusters: Clusters | None = None) -> PairedTest:
    """Compare ρ of both releases by z = (atanh r₁ − atanh r₀)/s, s² from the paired influence values; r clipped."""
    sides, codes = _common([new.human, new.judge, old.human, old.judge], clusters)
    count = len(sides[0])
    if count == 0:
        return PairedTest(0, *[None] * 8)
    (new_rho, new_values), (old_rho, old_values) = _correlation(*sides[:2]), _correlation(*sides[2:])
    error = mean_error(_fisher_scaled(new_rho, new_values) - _fisher_scaled(old_rho, old_values), codes)
    new_z, old_z = fisher(np.array([new_rho, old_rho])).tolist()
    z = _ratio(new_z - old_z, error)
    reach = two_sided_quantile(SHOWN_LEVEL) * mean_error(new_values - old_values, codes)
    difference = new_rho - old_rho
    return PairedTest(
        n=count,
        new=known(new_rho),
        old=known(old_rho),
        difference=known(difference),
        statistic=known(z),
        p_drop=known(float(normal_cdf(z))),
        p_gain=known(float(normal_cdf(-z))),
        low=known(difference - reach),
        high=known(difference + reach),
    )


def movements(tests: Sequence[PairedTest | None]) -> list[Movement | None]:
    """Name what became of each slice, both directions corrected by Holm over the run; None where nothing was tested."""
    dropped = holm_rejected([test.p_drop if test else None for test in tests])
    improved = holm_rejected([test.p_gain if test else None for test in tests])
    return [_movement(*row) for row in zip(tests, dropped, improved, strict=True)]


def _movement(test: PairedTest | None, dropped: bool, improved: bool) -> Movement | None:
    if test is None or test.difference is None or test.p_drop is None:
        return None
    if dropped:
        return Movement.DROPPED
    if improved:
        return Movement.IMPROVED
    return Movement.SAME if abs(test.difference) <= TOLERANCE else Movement.NO_PROVEN_CHANGE


def _common(sides: Sequence[Scores], clusters: Clusters | None) -> tuple[list[Floats], Ints | None]:
    arrays = [as_floats(side) for side in sides]
    if len({len(array) for array in arrays} | ({len(clusters)} if clusters is not None else set())) > 1:
        raise ValueError("the releases' values differ in number: give one per common case, None where missing")
    present = ~np.any([np.isnan(array) for array in arrays], axis=0)
    return [array[present] for array in arrays], None if clusters is None else codes_of(clusters)[present]


def _correlation(human: Floats, judge: Floats) -> tuple[float, Floats]:
    found = correlate(human, judge, ALONE)
    return float(found.rho[0]), found.influence


def _fisher_scaled(rho: float, influence: Floats) -> Floats:
    return influence / (1 - min(abs(rho), CLIP) ** 2)


def _ratio(difference: float, error: float) -> float:
    if math.isnan(error) or error > ROUNDING:
        return difference / error
    return 0.0 if abs(difference) <= ROUNDING else math.copysign(math.inf, difference)
