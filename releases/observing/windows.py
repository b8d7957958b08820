"""Which window of a slice can be closed now, and what it says (statistics.md R16).

Pure. A window is a minute where enough answers were scored, else as many whole minutes as that takes, at most fifteen.
It is closed once its traces have had time to come in and its scores time to be made; what comes later is late. The
first window that can be closed is the same whenever one looks, so that two closers agree.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from gates.statistics.limits import meets

MINUTE: Final = timedelta(minutes=1)
LONGEST_MINUTES: Final = 15
LONGEST: Final = LONGEST_MINUTES * MINUTE
SETTLE: Final = timedelta(seconds=30)
SCORES_WITHIN: Final = timedelta(seconds=60)

Verdict = Literal["above", "below", "no_data"]


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer, served `at`; `score` on [0, 1] is None where it is missing or, not `scored`, still to come."""

    at: datetime
    score: float | None
    scored: bool


@dataclass(frozen=True, slots=True)
class Closing:
    """The window [start, end): `asked` answers were sampled, `n` have a score; `sd` is None of fewer than two."""

    start: datetime
    end: datetime
    n: int
    asked: int
    mean: float | None
    sd: float | None
    verdict: Verdict


def settle_of(minute: timedelta = MINUTE) -> timedelta:
    """How long traces of a window may still come in after its end; shorter only where a rehearsal's minute is."""
    return min(SETTLE, minute / 2)


def scores_within(minute: timedelta = MINUTE) -> timedelta:
    """How long after its end a window waits for scores that are still to come."""
    return min(SCORES_WITHIN, minute)


def close_of(
    *,
    start: datetime,
    now: datetime,
    samples: Sequence[Sample],
    n_min: int,
    floor: float | None,
    minute: timedelta = MINUTE,
) -> Closing | None:
    """Return the window from `start` that can be closed at `now`, or None while there is none.

    `samples` may hold answers of later windows, too, in any order. `minute` is the shortest window, fifteen of them are
    the longest. A window without a floor is never below it. Raises `ValueError` for an `n_min` or a `minute` under 1.
    """
    if n_min < 1 or minute < timedelta(seconds=1):
        raise ValueError("a window needs at least one score and lasts at least a second")
    for count in range(1, LONGEST_MINUTES + 1):
        end = start + count * minute
        if end > now - settle_of(minute):
            return None
        inside = [sample for sample in samples if start <= sample.at < end]
        if now < end + scores_within(minute) and not all(sample.scored for sample in inside):
            return None
        scores = _usable(inside)
        if len(scores) >= n_min or count == LONGEST_MINUTES:
            return _closing(start, end, len(inside), scores, n_min, floor)
    return None


def _usable(samples: Sequence[Sample]) -> list[float]:
    return [
        sample.score for sample in samples if sample.scored and sample.score is not None and math.isfinite(sample.score)
    ]


def _closing(
    start: datetime, end: datetime, asked: int, scores: Sequence[float], n_min: int, floor: float | None
) -> Closing:
    mean = math.fsum(scores) / len(scores) if scores else None
    return Closing(
        start=start,
        end=end,
        n=len(scores),
        asked=asked,
        mean=mean,
        sd=_sd(scores, mean),
        verdict=_verdict(mean, len(scores), n_min, floor),
    )


def _sd(scores: Sequence[float], mean: float | None) -> float | None:
    if mean is None or len(scores) < 2:
        return None
    return math.sqrt(math.fsum((score - mean) ** 2 for score in scores) / (len(scores) - 1))


def _verdict(mean: float | None, n: int, n_min: int, floor: float | None) -> Verdict:
    if mean is None or n < n_min:
        return "no_data"
    return "above" if floor is None or meets(mean, floor) else "below"
