"""What one arm did in a chunk, or since the checkpoint was entered: requests, errors, groups of subjects."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from gates.statistics.arrays import Floats
from releases.monitors.subjects import group_of, weights_of
from releases.monitors.sums import WHOLE, Numbers, added, reals, stored, stored_count

GROUPS = 256
NONE_YET: Numbers = (0,) * GROUPS


@dataclass(frozen=True, slots=True)
class Counts:
    """Requests of one subject in one chunk, and how many of them were errors."""

    requests: int
    errors: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.errors <= self.requests:
            raise ValueError(f"{self.errors} errors of {self.requests} requests: count each request once")


@dataclass(frozen=True, slots=True)
class ArmSums:
    """Plain counts, and counts per group of subjects with the cap applied, in thousandths."""

    requests: int = 0
    errors: int = 0
    exposures: Numbers = NONE_YET
    events: Numbers = NONE_YET

    @classmethod
    def of_chunk(cls, subjects: Mapping[str, Counts]) -> Self:
        """Count one chunk of an arm."""
        weights = weights_of({name: counts.requests for name, counts in subjects.items()})
        exposures, events = [0] * GROUPS, [0] * GROUPS
        for name, weight in weights.items():
            group = group_of(name, GROUPS)
            exposures[group] += weight * subjects[name].requests
            events[group] += weight * subjects[name].errors
        return cls(
            sum(counts.requests for counts in subjects.values()),
            sum(counts.errors for counts in subjects.values()),
            tuple(exposures),
            tuple(events),
        )

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.requests + other.requests,
            self.errors + other.errors,
            added(self.exposures, other.exposures),
            added(self.events, other.events),
        )

    @property
    def rate(self) -> float | None:
        """Errors per request, as they were; None without requests."""
        return self.errors / self.requests if self.requests else None

    @property
    def exposure(self) -> float:
        """Requests with the cap applied."""
        return sum(self.exposures) / WHOLE

    @property
    def event_count(self) -> float:
        """Errors with the cap applied."""
        return sum(self.events) / WHOLE

    def units(self) -> tuple[Floats, Floats]:
        """Return errors and requests of the groups that sent any."""
        exposures = reals(self.exposures, WHOLE)
        return reals(self.events, WHOLE)[exposures > 0], exposures[exposures > 0]

    def as_json(self) -> dict[str, Any]:
        """Return the state as plain numbers."""
        return {
            "requests": self.requests,
            "errors": self.errors,
            "exposures": list(self.exposures),
            "events": list(self.events),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read a stored state."""
        requests, errors = stored_count(value, "requests", "errors")
        return cls(requests, errors, stored(value.get("exposures"), GROUPS), stored(value.get("events"), GROUPS))
