"""What closed windows of a healthy slice say of how its scores vary (statistics.md R16).

Pure. Single scores vary within windows; what the windows' means vary beyond that is the slice's own change from window
to window. Neighbours are windows of which one ends as the other begins. False rollbacks are so steep in both numbers
that those of few windows are no safe basis as they stand: the correlation is taken one standard error above its
estimate, the variance of the means half a one. Both go away as windows come.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final

HIGHEST_CORRELATION: Final = 0.99
MOST_ALIKE: Final = 0.95
CAUTION: Final = 0.5  # standard errors
FEWEST_SCORES: Final = 100  # fewer say nothing of skewness


@dataclass(frozen=True, slots=True)
class KnownWindow:
    """A closed window [started_at, ended_at) of `n` scores, two or more, with their mean and standard deviation."""

    started_at: datetime
    ended_at: datetime
    n: int
    mean: float
    sd: float


@dataclass(frozen=True, slots=True)
class Estimates:
    """Mean and sd of single scores; cautiously, windows' lag-1 correlation in [0, .99] and their sd beyond scores'."""

    mean: float
    spread: float
    correlation: float
    between: float
    windows: int


def estimates_of(windows: Sequence[KnownWindow]) -> Estimates:
    """Estimate them from windows in order of time. Raises `ValueError` for fewer than two."""
    if len(windows) < 2:
        raise ValueError("two windows or more are needed to say how they vary")
    mean = math.fsum(window.n * window.mean for window in windows) / sum(window.n for window in windows)
    within = math.fsum((window.n - 1) * window.sd**2 for window in windows) / sum(window.n - 1 for window in windows)
    centre = math.fsum(window.mean for window in windows) / len(windows)
    variance = math.fsum((window.mean - centre) ** 2 for window in windows) / (len(windows) - 1)
    explained = within * math.fsum(1 / window.n for window in windows) / len(windows)
    correlation = _correlation(windows, centre, variance)
    cautious = variance * (1 + CAUTION * math.sqrt(2 / _independent(len(windows), correlation)))
    return Estimates(
        mean=mean,
        spread=math.sqrt(within),
        correlation=correlation,
        between=math.sqrt(max(0.0, cautious - explained)),
        windows=len(windows),
    )


def skewness_of(scores: Sequence[float]) -> float:
    """Return the skewness of single scores, negative where bad ones are rare; 0 of fewer than 100 or equal ones."""
    if len(scores) < FEWEST_SCORES:
        return 0.0
    mean = math.fsum(scores) / len(scores)
    variance = math.fsum((score - mean) ** 2 for score in scores) / len(scores)
    third = math.fsum((score - mean) ** 3 for score in scores) / len(scores)
    return third / variance**1.5 if variance > 1e-12 else 0.0


def _correlation(windows: Sequence[KnownWindow], centre: float, variance: float) -> float:
    """The correlation of neighbours and a standard error; an estimate is on average 1/number too low besides."""
    products = [
        (one.mean - centre) * (other.mean - centre)
        for one, other in pairwise(windows)
        if one.ended_at == other.started_at
    ]
    if len(products) < 2 or variance <= 1e-12:
        return 0.0
    estimate = math.fsum(products) / len(products) / variance + 1 / len(windows)
    return min(HIGHEST_CORRELATION, max(0.0, estimate + 1 / math.sqrt(len(products))))


def _independent(windows: int, correlation: float) -> float:
    """How many independent windows would say as much about a variance as these."""
    square = min(correlation, MOST_ALIKE) ** 2
    return max(2.0, windows * (1 - square) / (1 + square))
