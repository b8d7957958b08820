"""Whether automatic rollback is armed on a slice, and with how many scores in a window (statistics.md R16).

Pure. A window takes so many scores that the floor lies `c` standard deviations of its mean under the healthy mean; `c`
grows with the correlation of neighbouring windows, so that about .01 false rollbacks a month are expected whatever it
is. Skewed scores and a quality that changes from window to window by itself take more. Where fifteen minutes do not
bring so many, or no number of scores would do, it refuses.
"""

import math
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import numpy as np

from gates.statistics.arrays import Floats
from releases.observing import plan_wording as words
from releases.observing.odds import chance_of_three, in_normal_units
from releases.observing.windows import LONGEST_MINUTES, MINUTE

LEAST: Final = 10  # scores of any window
FACTOR: Final = 6.3
SPREAD: Final = 0.25  # what is assumed until there is a history
KNOWN: Final = 30  # windows that make a history
CORRELATIONS: Final = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9)
RATIOS: Final = (2.5, 2.9, 3.3, 3.8, 4.3, 4.6)
BUDGET: Final = 20  # scored answers of a slice in a minute, at most
MOST: Final = BUDGET * LONGEST_MINUTES
SEARCHED: Final = 20_000  # scores beyond which it is said that no number of them would do
MONTH: Final = timedelta(days=30)
ROUNDING: Final = 1e-9
SMALLEST_SPREAD: Final = 1e-6  # of scores that have never varied yet


@dataclass(frozen=True, slots=True)
class Plan:
    """How a slice is watched.

    `n_min` scores make a window, whether or not it is armed; `headroom` is healthy mean − floor, `s_min` the standard
    deviation of the mean of a healthy window, `lengths` how many shortest windows make one. What is not known, or not
    so while it is not armed, is None.
    """

    armed: bool
    n_min: int
    headroom: float | None
    s_min: float | None
    correlation: float
    false_rollbacks_per_month: float | None
    why: str
    lengths: int | None = None


@dataclass(frozen=True, slots=True)
class Noise:
    """What makes the mean of a healthy window vary.

    `spread` and `skewness` are those of single scores; `between` is the sd of the slice's own quality from window to
    window, which no number of scores makes smaller. `correlation` is that of neighbouring windows.
    """

    spread: float = SPREAD
    correlation: float = 0.0
    skewness: float = 0.0
    between: float = 0.0

    def s_of(self, n: Floats) -> Floats:
        """The standard deviation of the mean of a window of `n` scores, for each `n`."""
        return np.sqrt(self.between**2 + self.spread**2 / n)

    def ratios(self, headroom: float, n: Floats) -> Floats:
        """How many of these the floor lies under the healthy mean, in normal units, for each `n`."""
        s = self.s_of(n)
        return in_normal_units(headroom / s, self.skewness * (self.spread / s) ** 3 / n**2)

    def false_rollbacks(self, headroom: float, n: int) -> float:
        """How many false rollbacks a window of `n` scores is expected to bring."""
        ratio = float(self.ratios(headroom, np.array([n], np.float64))[0])
        return chance_of_three(ratio, max(0.0, self.correlation))


def n_min_of(spread: float, headroom: float) -> int:
    """Return the scores that a window needs where neighbouring windows are independent and scores not skewed.

    `spread` is the sd of single scores, `headroom` healthy mean − floor. Raises `ValueError` unless both are possible.
    """
    if headroom <= 0 or spread < 0:
        raise ValueError("windows are planned for a headroom above 0 and a spread of 0 or more")
    return max(LEAST, math.ceil(FACTOR * (spread / headroom) ** 2 - ROUNDING))


def required_ratio(correlation: float) -> float | None:
    """Return c: how many standard deviations of a window the floor must lie under the healthy mean; None is never."""
    if correlation > CORRELATIONS[-1] + ROUNDING:
        return None
    return float(np.interp(max(0.0, correlation), CORRELATIONS, RATIOS))


def plan_of(
    *,
    floor: float | None,
    healthy_mean: float | None,
    spread: float,
    correlation: float,
    windows_known: int,
    samples_a_minute: float,
    target: bool,
    returned: bool,
    skewness: float = 0.0,
    between: float = 0.0,
    ease: float = 1.0,
    minute: timedelta = MINUTE,
) -> Plan:
    """Plan the windows of a slice, and say whether they may take the release back.

    For `spread` to `between` see `Noise`; `samples_a_minute` is how many scores come. `target`: there is a release to
    go back to; `returned`: this one came by a rollback. `ease` under 1 lowers what is required, for a slice that is
    armed already. `minute` is the shortest window.
    """
    noise = Noise(max(spread, SMALLEST_SPREAD), correlation, skewness, between)
    headroom = None if floor is None or healthy_mean is None else healthy_mean - floor
    needed = _needed(noise, headroom, ease)
    n_min = _n_min(headroom, needed)
    s_min = None if headroom is None else float(noise.s_of(np.array([n_min], np.float64))[0])
    a_window = samples_a_minute * (minute / MINUTE)
    refusal = words.no_way_back(floor, target=target, returned=returned)
    refusal = refusal or _refusal(floor, healthy_mean, noise, needed, a_window, minute)
    plan = Plan(
        armed=False,
        n_min=n_min,
        headroom=headroom,
        s_min=s_min,
        correlation=correlation,
        false_rollbacks_per_month=None,
        why=refusal or words.UNKNOWN,
    )
    if refusal is not None or headroom is None or floor is None:
        return plan
    lengths = max(1, math.ceil(n_min / a_window - ROUNDING))
    window = lengths * minute
    return replace(
        plan,
        armed=True,
        false_rollbacks_per_month=noise.false_rollbacks(headroom, n_min) * (MONTH / window),
        why=words.armed(floor, n_min, window, known=windows_known >= KNOWN),
        lengths=lengths,
    )


def _needed(noise: Noise, headroom: float | None, ease: float) -> int | None:
    """The fewest scores whose windows lie far enough above the floor; None where no number of them would do."""
    required = required_ratio(noise.correlation)
    if headroom is None or headroom <= ROUNDING or required is None:
        return None
    fewest = n_min_of(ease * noise.spread, headroom)
    numbers = np.arange(fewest, max(SEARCHED, fewest) + 1, dtype=np.float64)
    enough = np.flatnonzero(noise.ratios(headroom, numbers) >= ease * required - ROUNDING)
    return fewest + int(enough[0]) if len(enough) else None


def _n_min(headroom: float | None, needed: int | None) -> int:
    """The scores of a window, armed or not: never more than the budget brings in fifteen minutes."""
    if headroom is None or headroom <= ROUNDING:
        return LEAST
    return MOST if needed is None else min(MOST, needed)


def _refusal(
    floor: float | None,
    healthy_mean: float | None,
    noise: Noise,
    needed: int | None,
    a_window: float,
    minute: timedelta,
) -> str | None:
    if floor is None or healthy_mean is None:
        return words.UNKNOWN
    if healthy_mean - floor <= ROUNDING:
        return words.at_the_floor(healthy_mean, floor)
    if required_ratio(noise.correlation) is None:
        return words.too_correlated(noise.correlation)
    if needed is None:
        return words.too_uneven(healthy_mean - floor, noise.between)
    if needed > LONGEST_MINUTES * a_window + ROUNDING:
        return words.too_few(needed, a_window / (minute / MINUTE), LONGEST_MINUTES * minute)
    return None
