"""One look at a rollout: its value, what was measured, the facts of its route, and what it waits for."""

from dataclasses import dataclass
from datetime import datetime

from releases.measuring.readings import measured
from releases.rolling.facts import facts_of
from releases.rolling.storing import value_of
from releases.rollout_models import Rollout
from releases.rollouts import states
from releases.rollouts.evidence import Facts, MonitorVerdicts
from releases.rollouts.waiting import Waiting, waiting_for


@dataclass(frozen=True, slots=True)
class Look:
    """Everything that a decision about a rollout is made from, at one moment."""

    value: states.Rollout
    measured: MonitorVerdicts
    facts: Facts
    waiting: Waiting


def look_at(row: Rollout, now: datetime) -> Look:
    """Read a rollout as it stands, without a lock and without folding anything in."""
    value = value_of(row)
    found, facts = measured(row, value, now), facts_of(row, now)
    return Look(value, found, facts, waiting_for(value, now, found, facts))
