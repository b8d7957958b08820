"""Paired differences of quality, candidate − stable on the same prompts: plain numbers that add (rule R15).

A difference is clipped to [−1, 1]. Five bets λ against "the mean is at least −tol" each multiply a wealth by
1 − λ·(d + tol)/(1 + tol), five against "it is at most −tol" by 1 + λ·(d + tol)/(1 − tol); their logarithms are summed.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from gates.statistics.means import ROUNDING, MeanEstimate
from releases.monitors.evidence import log_mean
from releases.monitors.sums import FINE, Numbers, added, fine, fine_all, reals, stored, stored_count

BETS = (0.2, 0.4, 0.6, 0.8, 0.95)
TOLERANCE = 0.05
LARGEST_TOLERANCE = 0.95
NO_BETS: Numbers = (0,) * len(BETS)


def tolerance_of(*, accepted: float | None = None, stable: float | None = None) -> float:
    """Return how far the mean may drop: .05, more by what an override accepted below the level of stable.

    ``accepted`` is the accepted level and ``stable`` the level of the stable release, both on [0, 1]; without either
    the plain tolerance holds.
    """
    if accepted is None or stable is None:
        return TOLERANCE
    return min(LARGEST_TOLERANCE, TOLERANCE + max(0.0, stable - accepted))


@dataclass(frozen=True, slots=True)
class QualitySums:
    """The pairs of one slice since the checkpoint was entered; ``missing`` could not be replayed or scored."""

    tolerance: float = TOLERANCE
    n: int = 0
    missing: int = 0
    differences: int = 0
    squares: int = 0
    losses: Numbers = NO_BETS
    gains: Numbers = NO_BETS

    def __post_init__(self) -> None:
        if not 0 <= self.tolerance <= LARGEST_TOLERANCE:
            raise ValueError(f"a tolerance of {self.tolerance} is outside [0, {LARGEST_TOLERANCE}]: choose one inside")

    @classmethod
    def of(cls, differences: Iterable[float | None], *, tolerance: float = TOLERANCE) -> Self:
        """Count pairs; a difference that is None or no number is missing."""
        found = cls(tolerance)
        for difference in differences:
            found += cls._of_pair(difference, tolerance)
        return found

    @classmethod
    def _of_pair(cls, difference: float | None, tolerance: float) -> Self:
        if difference is None or not math.isfinite(difference):
            return cls(tolerance, missing=1)
        bets, d = np.array(BETS), min(1.0, max(-1.0, difference))
        whole = fine(d)
        return cls(
            tolerance,
            n=1,
            differences=whole,
            squares=whole * whole,
            losses=fine_all(np.log1p(-bets * (d + tolerance) / (1 + tolerance))),
            gains=fine_all(np.log1p(bets * (d + tolerance) / (1 - tolerance))),
        )

    def __add__(self, other: Self) -> Self:
        if self.tolerance != other.tolerance:
            raise ValueError("pairs that were counted under two tolerances do not add: count them again under one")
        return type(self)(
            self.tolerance,
            self.n + other.n,
            self.missing + other.missing,
            self.differences + other.differences,
            self.squares + other.squares,
            added(self.losses, other.losses),
            added(self.gains, other.gains),
        )

    @property
    def log_above(self) -> float:
        """Log e-value that the mean dropped by more than the tolerance."""
        return log_mean(reals(self.losses))

    @property
    def log_below(self) -> float:
        """Log e-value that it did not."""
        return log_mean(reals(self.gains))

    def mean(self) -> MeanEstimate:
        """Return the mean difference with its standard error; exact sums, so the order of the pairs has no say."""
        if self.n < 2:
            return MeanEstimate(self.n, self.differences / FINE if self.n else math.nan, math.nan, 0)
        spread = (self.n * self.squares - self.differences**2) / (self.n * (self.n - 1)) / FINE**2
        error = math.sqrt(max(0.0, spread) / self.n)
        mean = self.differences / self.n / FINE
        return MeanEstimate(self.n, mean, error if error > ROUNDING else 0.0, self.n - 1)

    def as_json(self) -> dict[str, Any]:
        """Return the state as plain numbers."""
        return {
            "tolerance": self.tolerance,
            "n": self.n,
            "missing": self.missing,
            "differences": self.differences,
            "squares": self.squares,
            "losses": list(self.losses),
            "gains": list(self.gains),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read a stored state."""
        n, missing, squares = stored_count(value, "n", "missing", "squares")
        (differences,) = stored([value.get("differences")], 1)
        losses, gains = stored(value.get("losses"), len(BETS)), stored(value.get("gains"), len(BETS))
        return cls(float(value["tolerance"]), n, missing, differences, squares, losses, gains)
