"""The rate of the candidate against the concurrent stable arm, as evidence at any time (rule R12).

Given the errors of both arms in a chunk, the candidate's share of them is binomial with odds R·w, where R is the ratio
of the rates and w the ratio of the requests. Its log-likelihood is summed over chunks on 121 log-spaced ratios; the
prior is N(0, 1.2²) on log R. Chunks without requests in one of the arms compare nothing and add nothing.
"""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np

from gates.statistics.arrays import Floats
from releases.monitors.evidence import log_mixture
from releases.monitors.sums import Numbers, added, fine_all, reals

POINTS = 121
LOG_RATIOS: Floats = np.linspace(math.log(0.02), math.log(50.0), POINTS)
LOG_PRIOR: Floats = -0.5 * (LOG_RATIOS / 1.2) ** 2


@dataclass(frozen=True, slots=True)
class Pair:
    """Errors and requests of both arms in one chunk; fractions of a request where a subject is capped."""

    errors: float
    stable_errors: float
    requests: float
    stable_requests: float


@dataclass(frozen=True, slots=True)
class RatioEvidence:
    """Log e-values that the ratio is above, and below, its limit, with the dispersion that both were divided by."""

    log_above: float
    log_below: float
    dispersion: float


@dataclass(frozen=True, slots=True)
class RatioLikelihood:
    """The 121 sums of log-likelihood, in multiples of 2⁻⁴⁰: they add exactly."""

    sums: Numbers = (0,) * POINTS

    @classmethod
    def of(cls, pair: Pair) -> Self:
        """Return the log-likelihood of one chunk."""
        return cls(fine_all(_log_likelihood(pair)))

    def __add__(self, other: Self) -> Self:
        return type(self)(added(self.sums, other.sums))

    def evidence(self, limit: float, dispersion: float = 1.0) -> RatioEvidence:
        """Weigh the ratios above, and those below, ``limit`` against the limit itself."""
        point = math.log(limit)
        if not LOG_RATIOS[0] < point < LOG_RATIOS[-1]:
            raise ValueError(f"a limit of {limit} on a ratio lies outside 0.02 to 50: choose one inside")
        logs = reals(self.sums) / dispersion
        gains = logs - np.interp(point, LOG_RATIOS, logs)
        above, below = point < LOG_RATIOS, point > LOG_RATIOS
        return RatioEvidence(
            log_mixture(gains[above], LOG_PRIOR[above]), log_mixture(gains[below], LOG_PRIOR[below]), dispersion
        )

    def interval(self, alarm: float, dispersion: float = 1.0) -> tuple[float | None, float | None]:
        """Return the ratios next to those that evidence ``alarm`` does not exclude; None where the grid ends first."""
        logs = reals(self.sums) / dispersion
        kept = np.flatnonzero(log_mixture(logs, LOG_PRIOR) - logs < math.log(alarm))
        low, high = int(kept[0]) - 1, int(kept[-1]) + 1
        return (_ratio(low) if low >= 0 else None), (_ratio(high) if high < POINTS else None)


def _ratio(index: int) -> float:
    return math.exp(LOG_RATIOS[index])


def _log_likelihood(pair: Pair) -> Floats:
    if pair.requests <= 0 or pair.stable_requests <= 0:
        return np.zeros(POINTS)
    log_odds = LOG_RATIOS + math.log(pair.requests / pair.stable_requests)
    against: Floats = np.logaddexp(0.0, log_odds)
    return pair.errors * (log_odds - against) - pair.stable_errors * against
