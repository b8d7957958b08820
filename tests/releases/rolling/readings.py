"""Readings that a test dictates, in place of traces: what the ticker and commands see of a rollout's monitors."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from releases.rolling import looking, ticking
from releases.rollout_models import Rollout
from releases.rollouts import states
from releases.rollouts.decisions import Decision
from releases.rollouts.evidence import MonitorVerdicts
from tests.releases.pure.rollouts.scene import seen


@dataclass
class Readings:
    """`given` are the readings that differ from all that a step asks for."""

    given: dict[str, Any] = field(default_factory=dict)

    def measured(self, row: Rollout, value: states.Rollout, now: datetime) -> MonitorVerdicts:
        return seen(value, **self.given)


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> Readings:
    """Everything is there and within its limits, until a test says otherwise."""
    made = Readings()
    monkeypatch.setattr(looking, "measured", made.measured)
    monkeypatch.setattr(ticking, "fold", lambda *_: None)
    monkeypatch.setattr(ticking, "choose_pairs", lambda *_: 0)
    return made


def ticked(row: Rollout, after_s: float) -> Decision:
    """One look at a rollout this long after its present step was entered."""
    fresh = Rollout.objects.select_related("organization", "application", "route", "release", "previous").get(pk=row.pk)
    return ticking.tick(fresh, fresh.entered_at + timedelta(seconds=after_s))


def walked(row: Rollout, steps: int) -> Rollout:
    """The rollout after that many promotions by rule."""
    for _ in range(steps):
        ticked(row, 61)
    return Rollout.objects.get(pk=row.pk)
