"""What a slice asks of its answers: the owner's numbers, checked (rules R3, R4, R6)."""

from dataclasses import dataclass
from enum import StrEnum

from gates.statistics.limits import meets
from gates.statistics.policies import Policy

HIGHEST_THRESHOLD = 0.95
PREVIOUS_LEVEL_TOLERANCE = 0.05


@dataclass(frozen=True, slots=True)
class AgreementRule:
    """When the judge may be believed: threshold on ρ, policy, and what counts as enough cases."""

    threshold: float
    policy: Policy = Policy.POINT
    n_min: int = 20
    off_mode_min: int = 5
    missing_max: float = 0.05

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= HIGHEST_THRESHOLD:
            raise ValueError(f"threshold {self.threshold} is outside (0, {HIGHEST_THRESHOLD}]: choose one inside")
        require_enough(self.n_min)


class FloorSource(StrEnum):
    """Where a quality floor comes from."""

    OWNER = "owner"
    PREVIOUS = "previous"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Floor:
    """The lowest mean quality that passes, on [0, 1]; None where there is none."""

    value: float | None
    source: FloorSource


def floor_of(*, owner: float | None, previous_mean: float | None) -> Floor:
    """Return the owner's number, else the previous release's level less .05, else no floor (a cold start)."""
    if owner is not None:
        return Floor(owner, FloorSource.OWNER)
    if previous_mean is not None:
        return Floor(max(0.0, previous_mean - PREVIOUS_LEVEL_TOLERANCE), FloorSource.PREVIOUS)
    return Floor(None, FloorSource.NONE)


@dataclass(frozen=True, slots=True)
class QualityRule:
    """When answers are good enough: floor, policy, and what counts as enough cases."""

    floor: Floor
    policy: Policy = Policy.POINT
    n_min: int = 20
    missing_max: float = 0.05

    def __post_init__(self) -> None:
        if self.floor.value is not None and not 0 <= self.floor.value <= 1:
            raise ValueError(f"quality floor {self.floor.value} is outside [0, 1]: give it on the calibrated scale")
        require_enough(self.n_min)


def require_enough(n_min: int) -> None:
    """Refuse a minimum number of cases that would let nothing at all be judged."""
    if n_min < 1:
        raise ValueError(f"n_min {n_min} would judge a slice without cases: give at least 1")


def missing_is_too_much(*, expected: int, present: int, missing_max: float) -> bool:
    """Say whether more than the tolerated share of the expected scores is missing."""
    return expected > 0 and not meets(missing_max, (expected - present) / expected)
