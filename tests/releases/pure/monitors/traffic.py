"""Simulated traffic of a canary: seeded users, assigned for good, who differ in how much they send and how it goes."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gates.statistics.arrays import Floats, Ints
from releases.monitors.arms import Counts
from releases.monitors.error_sums import ErrorSums
from releases.monitors.latencies import LatencySums

Truths = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Users:
    """Users with their share of the traffic, their own error rate and their own factor on latency."""

    shares: Floats
    error_rates: Floats
    slowness: Floats


def equal_users(count: int, error_rate: float) -> Users:
    return Users(np.full(count, 1 / count), np.full(count, error_rate), np.ones(count))


def heavy_tailed_users(rng: np.random.Generator, count: int, error_rate: float) -> Users:
    """Return users of whom the largest tenth sends most, and who differ in errors and latency, too."""
    sizes = rng.pareto(1.2, count) + 1
    rates = rng.lognormal(-0.32, 0.8, count) * error_rate
    return Users(sizes / sizes.sum(), np.clip(rates, 0, 0.5), rng.lognormal(0, 0.3, count))


@dataclass(frozen=True, slots=True)
class Canary:
    """How much worse than stable the candidate is: factors on its error rate and on its latency."""

    errors: float = 1.0
    latency: float = 1.0


@dataclass(frozen=True, slots=True)
class Chunk:
    """What a monitor gets of a chunk: counts and latencies of each subject, by arm (candidate first)."""

    counts: tuple[dict[str, Counts], dict[str, Counts]]
    latencies: tuple[dict[str, list[float]], dict[str, list[float]]]

    def errors(self) -> ErrorSums:
        return ErrorSums.of_chunk(*self.counts)

    def durations(self) -> tuple[LatencySums, LatencySums]:
        return LatencySums.of_chunk(self.latencies[0]), LatencySums.of_chunk(self.latencies[1])


def chunks(
    rng: np.random.Generator, users: Users, *, share: float, size: int, number: int, canary: Canary | None = None
) -> Iterator[Chunk]:
    """Yield ``number`` chunks of ``size`` requests each, both arms together."""
    worse = canary or Canary()
    on_candidate = rng.random(len(users.shares)) < share
    for _ in range(number):
        who = rng.choice(len(users.shares), size, p=users.shares)
        own = on_candidate[who]
        failed = rng.random(size) < users.error_rates[who] * np.where(own, worse.errors, 1.0)
        took = rng.lognormal(6.5, 0.5, size) * users.slowness[who] * np.where(own, worse.latency, 1.0)
        yield _split(who, own, failed, took)


def _split(who: Ints, own: Truths, failed: Truths, took: Floats) -> Chunk:
    counts: tuple[dict[str, list[int]], dict[str, list[int]]] = ({}, {})
    latencies: tuple[dict[str, list[float]], dict[str, list[float]]] = ({}, {})
    for user, candidate, error, milliseconds in zip(*(row.tolist() for row in (who, own, failed, took)), strict=True):
        arm, name = 0 if candidate else 1, str(user)
        seen = counts[arm].setdefault(name, [0, 0])
        seen[0] += 1
        seen[1] += error
        latencies[arm].setdefault(name, []).append(milliseconds)
    candidate_counts, stable_counts = ({name: Counts(*row) for name, row in arm.items()} for arm in counts)
    return Chunk((candidate_counts, stable_counts), latencies)
