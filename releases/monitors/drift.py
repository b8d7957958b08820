"""Drift of a quality that stays above its floor: a Shiryaev–Roberts e-detector (rule R17; Shin, Ramdas, Rinaldo 2022).

Each score x on [0, 1] multiplies a bet of size λ against "the mean is at least m0" by 1 − λ·(x − m0)/(1 − m0), and
the detector restarts with every score: Mₜ = (Mₜ₋₁ + 1)·factor, averaged over five λ. Without drift the mean time to an
alarm at A is at least A scores. Scores come in the order in which they were given.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from gates.statistics.limits import meets

BETS = (0.05, 0.1, 0.2, 0.4, 0.8)
MARGIN = 0.05
MINUTES_BETWEEN_FALSE_ALARMS = 43_200  # 30 days
HIGHEST_MEAN = 0.99


def level_of(healthy_mean: float) -> float:
    """Return m0: the healthy mean of 7 days less .05, kept inside (0, 1)."""
    return min(HIGHEST_MEAN, max(1 - HIGHEST_MEAN, healthy_mean - MARGIN))


def alarm_of(scores_a_minute: float) -> float:
    """Return the alarm that a quality without drift reaches once in 30 days or more rarely."""
    return MINUTES_BETWEEN_FALSE_ALARMS * scores_a_minute


@dataclass(frozen=True, slots=True)
class DriftDetector:
    """The five sums after ``count`` scores; ``level`` is m0."""

    level: float
    count: int = 0
    sums: tuple[float, ...] = field(default=(0.0,) * len(BETS))

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise ValueError(f"a level of {self.level} is outside (0, 1): scores lie on [0, 1]")

    def after(self, scores: Iterable[float | None]) -> Self:
        """Return the detector after these scores; a missing one changes nothing, others are clipped to [0, 1]."""
        bets, sums, count = np.array(BETS), np.array(self.sums), self.count
        for score in scores:
            if score is None or not math.isfinite(score):
                continue
            sums = (sums + 1) * (1 - bets * (min(1.0, max(0.0, score)) - self.level) / (1 - self.level))
            count += 1
        return type(self)(self.level, count, tuple(sums.tolist()))

    @property
    def value(self) -> float:
        """The detector's value, to compare with the alarm."""
        return math.fsum(self.sums) / len(BETS)

    def alarms(self, alarm: float) -> bool:
        """Say whether a person has to look; never before the first score."""
        return self.count > 0 and meets(self.value, alarm)

    def as_json(self) -> dict[str, Any]:
        """Return the state as plain numbers."""
        return {"level": self.level, "count": self.count, "sums": list(self.sums)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read a stored state."""
        return cls(float(value["level"]), int(value["count"]), tuple(float(number) for number in value["sums"]))
