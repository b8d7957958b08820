"""Everything that the monitors know of a checkpoint, as sums that add exactly (statistics.md R11a, R12, R14).

`Measurement.sums` holds them as JSON under `errors`, `total` and `ttft`; an empty object is a checkpoint without
traces. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from releases.monitors.arms import Counts
from releases.monitors.error_sums import ErrorSums
from releases.monitors.latencies import LatencySums


@dataclass(frozen=True, slots=True)
class SubjectCounts:
    """What one subject did in one chunk of one arm; latencies are those of successful requests, in milliseconds."""

    requests: int
    errors: int = 0
    total: Sequence[float] = ()
    ttft: Sequence[float] = ()


Chunk = Mapping[str, SubjectCounts]


@dataclass(frozen=True, slots=True)
class Latencies:
    """One latency on both arms."""

    candidate: LatencySums = field(default_factory=LatencySums)
    stable: LatencySums = field(default_factory=LatencySums)

    @classmethod
    def of_chunk(cls, candidate: Mapping[str, Sequence[float]], stable: Mapping[str, Sequence[float]]) -> Self:
        """Count one chunk."""
        return cls(LatencySums.of_chunk(candidate), LatencySums.of_chunk(stable))

    def __add__(self, other: Self) -> Self:
        return type(self)(self.candidate + other.candidate, self.stable + other.stable)

    def as_json(self) -> dict[str, Any]:
        """Return the state as plain numbers."""
        return {"candidate": self.candidate.as_json(), "stable": self.stable.as_json()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read a stored state."""
        return cls(LatencySums.from_json(value["candidate"]), LatencySums.from_json(value["stable"]))


@dataclass(frozen=True, slots=True)
class CheckpointSums:
    """Errors, total latency and time to the first token of both arms."""

    errors: ErrorSums = field(default_factory=ErrorSums)
    total: Latencies = field(default_factory=Latencies)
    ttft: Latencies = field(default_factory=Latencies)

    @classmethod
    def of_chunk(cls, candidate: Chunk, stable: Chunk) -> Self:
        """Count one chunk: each arm maps a subject to what it did."""
        arms = (candidate, stable)
        return cls(
            ErrorSums.of_chunk(*({who: Counts(one.requests, one.errors) for who, one in arm.items()} for arm in arms)),
            Latencies.of_chunk(*({who: one.total for who, one in arm.items()} for arm in arms)),
            Latencies.of_chunk(*({who: one.ttft for who, one in arm.items()} for arm in arms)),
        )

    def __add__(self, other: Self) -> Self:
        return type(self)(self.errors + other.errors, self.total + other.total, self.ttft + other.ttft)

    def as_json(self) -> dict[str, Any]:
        """Return the state as plain numbers."""
        return {"errors": self.errors.as_json(), "total": self.total.as_json(), "ttft": self.ttft.as_json()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read a stored state; nothing stored is nothing counted."""
        if not value:
            return cls()
        return cls(
            ErrorSums.from_json(value["errors"]),
            Latencies.from_json(value["total"]),
            Latencies.from_json(value["ttft"]),
        )
