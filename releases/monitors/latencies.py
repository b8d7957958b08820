"""Latencies as log-spaced histograms that add exactly: bins of 1 %, p95s are never averaged (rule R14).

A latency counts as much as its subject's cap allows (rule R11a), in thousandths. Beside the bins stand coarse ones
(20 fine bins, about 22 %) per group of subjects, from which the dispersion of exceedances is learned.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from gates.statistics.arrays import Floats
from releases.monitors.subjects import group_of, weights_of
from releases.monitors.sums import WHOLE, merged, reals, stored_count, stored_sparse

STEP = math.log(1.01)
COARSE = 20
GROUPS = 64
SHORTEST, LONGEST = 1e-3, 1e9  # milliseconds: a microsecond, eleven days

Sparse = Mapping[str, int]


def bin_of(milliseconds: float) -> int:
    """Return the bin k with 1.01ᵏ ≤ latency < 1.01ᵏ⁺¹."""
    return math.floor(math.log(min(LONGEST, max(SHORTEST, milliseconds))) / STEP)


def edge_of(index: int) -> float:
    """Return the lower edge of a bin in milliseconds."""
    return math.exp(index * STEP)


@dataclass(frozen=True, slots=True)
class LatencySums:
    """One arm's latencies: ``requests`` measured ones, their bins, and coarse bins per group of subjects.

    Keys are written, for JSON: a bin as its number, a coarse bin as ``group:number``.
    """

    requests: int = 0
    bins: Sparse = field(default_factory=dict)
    groups: Sparse = field(default_factory=dict)

    @classmethod
    def of_chunk(cls, subjects: Mapping[str, Sequence[float]]) -> Self:
        """Count one chunk of an arm; latencies that are no number, or below zero, were not measured."""
        measured = {name: _measured(latencies) for name, latencies in subjects.items()}
        weights = weights_of({name: len(latencies) for name, latencies in measured.items()})
        bins: Counter[int] = Counter()
        groups: Counter[tuple[int, int]] = Counter()
        for name, weight in weights.items():
            group = group_of(name, GROUPS)
            for index in map(bin_of, measured[name]):
                bins[index] += weight
                groups[group, index // COARSE] += weight
        return cls(
            sum(len(latencies) for latencies in measured.values()),
            {str(index): weight for index, weight in bins.items()},
            {f"{group}:{coarse}": weight for (group, coarse), weight in groups.items()},
        )

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.requests + other.requests, merged(self.bins, other.bins), merged(self.groups, other.groups)
        )

    @property
    def exposure(self) -> float:
        """Latencies with the cap applied."""
        return sum(self.bins.values()) / WHOLE

    def bin_at(self, share: float) -> int:
        """Return the first bin up to which at least ``share`` of the latencies lie; there must be some."""
        indices = sorted(map(int, self.bins))
        reached = np.cumsum([self.bins[str(index)] for index in indices])
        return indices[min(len(indices) - 1, int(np.searchsorted(reached, share * reached[-1] * (1 - 1e-12))))]

    def quantile(self, share: float) -> float:
        """Return the middle of the bin of a quantile, in milliseconds."""
        return edge_of(self.bin_at(share)) * math.exp(STEP / 2)

    def at_least(self, index: int) -> float:
        """Count the latencies in bin ``index`` and all above it, with the cap applied."""
        return sum(weight for key, weight in self.bins.items() if int(key) >= index) / WHOLE

    def exceedances(self, index: int) -> tuple[Floats, Floats]:
        """Return, for each group that sent any, the latencies from coarse bin ``index`` on, and all."""
        beyond, all_of_them = [0] * GROUPS, [0] * GROUPS
        for key, weight in self.groups.items():
            group, coarse = map(int, key.split(":"))
            all_of_them[group] += weight
            beyond[group] += weight if coarse >= index else 0
        events, exposures = reals(beyond, WHOLE), reals(all_of_them, WHOLE)
        return events[exposures > 0], exposures[exposures > 0]

    def as_json(self) -> dict[str, Any]:
        """Return the state as plain numbers."""
        return {"requests": self.requests, "bins": dict(self.bins), "groups": dict(self.groups)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read a stored state."""
        (requests,) = stored_count(value, "requests")
        return cls(requests, stored_sparse(value.get("bins")), stored_sparse(value.get("groups")))


def _measured(latencies: Iterable[float]) -> list[float]:
    return [latency for latency in latencies if math.isfinite(latency) and latency >= 0]
