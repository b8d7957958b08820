"""Calls of a model server as it noted them: how many were in flight in each second, and how long they took. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Noted:
    """One call: seconds of one clock, tokens read and written, and the body that was sent."""

    began: float
    ended: float
    input_tokens: int
    output_tokens: int
    body: str

    @property
    def took(self) -> float:
        """How long the server needed, in seconds."""
        return self.ended - self.began


def in_flight_by_second(calls: Sequence[Noted]) -> list[float]:
    """The mean number of calls in flight in each second from the first call to the end of the last.

    The last second is as long as it is: its mean is that of its own part only.
    """
    if not calls:
        return []
    first, last = min(call.began for call in calls), max(call.ended for call in calls)
    seconds = max(1, math.ceil(last - first))
    shares = [0.0] * seconds
    for call in calls:
        low, high = call.began - first, call.ended - first
        for second in range(int(low), min(seconds, int(high) + 1)):
            shares[second] += max(0.0, min(high, second + 1) - max(low, second))
    lengths = [min(1.0, last - first - second) or 1.0 for second in range(seconds)]
    return [share / length for share, length in zip(shares, lengths, strict=True)]


def most_at_once(calls: Sequence[Noted]) -> int:
    """The most calls that were in flight at one moment."""
    steps = sorted([(call.ended, -1) for call in calls] + [(call.began, 1) for call in calls])
    now = most = 0
    for _, step in steps:
        now += step
        most = max(most, now)
    return most


def spread(values: Sequence[float]) -> str:
    """`3.1 / 15.8 / 16.0`: the least, the one in the middle, the most."""
    return " / ".join(f"{value:.1f}" for value in (min(values), median(values), max(values))) if values else "none"


def ideal_seconds(calls: Sequence[Noted], concurrency: int) -> float:
    """How long they take at least: each as long as it took, so many at once, with no moment lost."""
    return sum(call.took for call in calls) / concurrency


def tokens_of(calls: Sequence[Noted]) -> int:
    """Read and written together."""
    return sum(call.input_tokens + call.output_tokens for call in calls)
