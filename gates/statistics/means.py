"""A mean with its Student interval, the basis of quality and change (rules R8, R10).

With clusters (several cases from one document) the deviations are summed per cluster first and the clusters are the
independent units; where every case stands alone this is the ordinary s/√n with n − 1 degrees of freedom.
"""

import math
from dataclasses import dataclass

from gates.statistics.arrays import Floats, Ints, cluster_sums, exact_mean, exact_sum
from gates.statistics.distributions import ALPHA, student_cdf, student_quantile

ROUNDING = 1e-12  # a standard error under this is float noise of constant values


@dataclass(frozen=True, slots=True)
class MeanEstimate:
    """Mean of ``n`` values with its standard error and degrees of freedom; NaN where it cannot be estimated."""

    n: int
    mean: float
    error: float
    freedom: int

    def bounds(self) -> tuple[float, float]:
        """Return the one-sided 5 % bounds, together the 90 % interval; both are the mean where nothing varies."""
        if math.isnan(self.error):
            return math.nan, math.nan
        reach = student_quantile(1 - ALPHA, self.freedom) * self.error
        return self.mean - reach, self.mean + reach

    def statistic(self, limit: float) -> float:
        """Return t = (mean − limit)/error; ± infinity where the values are constant and off the limit."""
        difference = self.mean - limit
        if math.isnan(self.error) or self.error > 0:
            return difference / self.error
        return 0.0 if abs(difference) <= ROUNDING else math.copysign(math.inf, difference)

    def p_below(self, limit: float) -> float:
        """Return P(T ≤ t): small where the mean is proven to be under ``limit``."""
        return student_cdf(self.statistic(limit), self.freedom)

    def p_above(self, limit: float) -> float:
        """Return P(T ≥ t): small where the mean is proven to be over ``limit``."""
        return student_cdf(-self.statistic(limit), self.freedom)


def estimate_mean(values: Floats, codes: Ints | None = None) -> MeanEstimate:
    """Estimate the mean of finite values; ``codes`` number the cluster of each."""
    mean = exact_mean(values)
    deviations = values - mean
    units = deviations if codes is None else cluster_sums(deviations, codes)
    if len(units) < 2:
        return MeanEstimate(len(values), mean, math.nan, 0)
    squares = exact_sum(units * units) * len(units) / (len(units) - 1)
    error = math.sqrt(squares) / len(values)
    return MeanEstimate(len(values), mean, error if error > ROUNDING else 0.0, len(units) - 1)
