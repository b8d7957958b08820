"""The errors of both arms since a checkpoint was entered: plain numbers that add (rules R11a, R12)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from releases.monitors.arms import ArmSums, Counts
from releases.monitors.rate_ratio import POINTS, Pair, RatioLikelihood
from releases.monitors.sums import stored


@dataclass(frozen=True, slots=True)
class ErrorSums:
    """Both arms since the checkpoint was entered, with the likelihood of their ratio."""

    candidate: ArmSums = field(default_factory=ArmSums)
    stable: ArmSums = field(default_factory=ArmSums)
    likelihood: RatioLikelihood = field(default_factory=RatioLikelihood)

    @classmethod
    def of_chunk(cls, candidate: Mapping[str, Counts], stable: Mapping[str, Counts]) -> Self:
        """Count one chunk: each arm maps a subject to its requests and errors in it."""
        own, other = ArmSums.of_chunk(candidate), ArmSums.of_chunk(stable)
        pair = Pair(own.event_count, other.event_count, own.exposure, other.exposure)
        return cls(own, other, RatioLikelihood.of(pair))

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.candidate + other.candidate, self.stable + other.stable, self.likelihood + other.likelihood
        )

    def as_json(self) -> dict[str, Any]:
        """Return the state as plain numbers."""
        return {
            "candidate": self.candidate.as_json(),
            "stable": self.stable.as_json(),
            "likelihood": list(self.likelihood.sums),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read a stored state."""
        likelihood = RatioLikelihood(stored(value.get("likelihood"), POINTS))
        return cls(ArmSums.from_json(value["candidate"]), ArmSums.from_json(value["stable"]), likelihood)
