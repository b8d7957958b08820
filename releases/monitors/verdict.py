"""The three-valued verdict of a monitor at one look (rule R11): breach, ok or hold, with its evidence and reasons."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from gates.statistics.limits import meets
from gates.statistics.policies import Evidence
from releases.monitors.evidence import PROVEN_WITHIN, Alarm, value_of


class Reading(StrEnum):
    """What a monitor says at a look; ``ok`` counts only when the checkpoint's dwell and requests are met."""

    BREACH = "breach"
    HOLD = "hold"
    OK = "ok"


@dataclass(frozen=True, slots=True)
class Weighed:
    """Evidence that the release is above, and below, its limit, with what it is compared with.

    ``within`` says on which side of the limit the estimate lies; None where there is nothing to estimate from.
    """

    log_above: float
    log_below: float
    alarm: Alarm
    within: bool | None
    enough: bool
    enough_to_breach: bool

    @property
    def alarming(self) -> bool:
        """Whether the evidence reaches what breaches."""
        return meets(value_of(self.log_above), self.alarm.value)

    @property
    def proven_within(self) -> bool:
        """Whether the evidence for staying below the limit is strong."""
        return meets(value_of(self.log_below), PROVEN_WITHIN)

    def decide(self) -> tuple[Reading, Evidence]:
        """Breach on evidence, pass on the estimate, hold on everything else."""
        if self.alarming and self.enough_to_breach:
            return Reading.BREACH, Evidence.PROVEN
        if self.within is None or not self.enough:
            return Reading.HOLD, Evidence.NONE
        if not self.within:
            return Reading.HOLD, Evidence.UNPROVEN
        return Reading.OK, Evidence.PROVEN if self.proven_within else Evidence.UNPROVEN


@dataclass(frozen=True, slots=True)
class MonitorVerdict:
    """A monitor's answer with every number that led to it (rule R18).

    ``estimate``, ``limit``, ``low`` and ``high`` are in the monitor's own unit: a ratio of rates, a ratio of p95s, a
    mean difference. ``low`` and ``high`` enclose the true value at all looks at once in 19 of 20 rollouts; None is no
    bound.
    """

    monitor: str
    reading: Reading
    evidence: Evidence
    n: int
    estimate: float | None
    limit: float
    e_above: float
    e_below: float
    alarm: float
    reasons: tuple[str, ...]
    dispersion: float | None = None
    p: float | None = None
    low: float | None = None
    high: float | None = None


def worst_of(verdicts: Iterable[MonitorVerdict]) -> Reading:
    """Return what all monitors together say: any breach, else any hold, else ok; no monitor at all holds."""
    readings = {verdict.reading for verdict in verdicts}
    return next((reading for reading in Reading if reading in readings), Reading.HOLD)
