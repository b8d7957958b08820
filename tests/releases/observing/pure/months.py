"""Months of healthy windows, drawn with a seed, and the false rollbacks that the rule of R16 makes of them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from releases.observing.estimates import KnownWindow
from releases.observing.watch import Signal, Watch, after

Means = NDArray[np.float32]
MONTH = 43_200  # minutes
COOL_DOWN = 30  # minutes
ROWS = 50  # months drawn at a time
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


def autoregressive(rng: np.random.Generator, rows: int, windows: int, correlation: float) -> Means:
    """Standard normal series, each with this lag-1 correlation; stationary from the first window on."""
    draws = rng.standard_normal((rows, windows), dtype=np.float32)
    if correlation == 0:
        return draws
    start = draws[:, :1].copy()
    draws *= np.float32(np.sqrt(1 - correlation**2))
    draws[:, :1] = start
    series: Means = lfilter([1.0], np.array([1.0, -correlation], np.float32), draws, axis=1)
    return series


def false_rollbacks(means: Means, floor: float) -> int:
    """How many a month's observer would make: three in a row, then nothing for the cool-down."""
    below = means < floor - 1e-9
    third = below[:, 2:] & below[:, 1:-1] & below[:, :-2]
    third[:, 1:] &= ~third[:, :-1]
    return sum(_after_cool_downs(np.flatnonzero(row)) for row in third[third.any(axis=1)])


def _after_cool_downs(times: NDArray[np.int64]) -> int:
    found, quiet_until = 0, -1
    for time in times.tolist():
        if time > quiet_until:
            found, quiet_until = found + 1, time + COOL_DOWN
    return found


def by_the_watch(means: Means, floor: float) -> int:
    """The same for one month, window by window, as the observer does it."""
    watch, found, quiet_until = Watch(), 0, -1
    for number, mean in enumerate(means):
        watch, signal = after(watch, "below" if mean < floor - 1e-9 else "above", mean=mean, floor=floor, s_min=0)
        if signal is Signal.BREACHED and watch.streak == 3 and number > quiet_until:
            found, quiet_until = found + 1, number + COOL_DOWN
    return found


def counted(draw: Callable[[np.random.Generator, int], Means], floor: float, *, months: int, seed: int) -> int:
    """False rollbacks in so many slice months; `draw(rng, rows)` draws the windows of `rows` months."""
    rng = np.random.default_rng(seed)
    return sum(false_rollbacks(draw(rng, ROWS), floor) for _ in range(months // ROWS))


def known_windows(means: Means, sds: Means, n: int, minutes: int = 1) -> list[KnownWindow]:
    """One series of means as closed windows that follow one another."""
    length = timedelta(minutes=minutes)
    return [
        KnownWindow(BEGIN + number * length, BEGIN + (number + 1) * length, n, float(mean), float(sd))
        for number, (mean, sd) in enumerate(zip(means, sds, strict=True))
    ]
