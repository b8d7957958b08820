"""Rollouts at any point of their way, and what is measured and true there."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from gates.statistics.policies import Evidence
from releases.checkpoints import DEFAULT_PLAN
from releases.monitors.verdict import MonitorVerdict, Reading
from releases.rollouts.commands import Order
from releases.rollouts.evidence import (
    Action,
    Facts,
    Monitor,
    MonitorVerdicts,
    PolicyVerdict,
    StartFacts,
)
from releases.rollouts.starting import start
from releases.rollouts.states import Rollout
from releases.rollouts.transitions import advanced

T0 = datetime(2026, 11, 21, 13, 0, tzinfo=UTC)
DWELL = timedelta(seconds=240)
SECOND = timedelta(seconds=1)
STABLE, CANDIDATE, OTHER = "5" * 64, "c" * 64, "0" * 64
ORDER = Order("Tom Behrens", "The numbers look right to me.")


def verdict(reading: Reading, *reasons: str, monitor: str = "errors") -> MonitorVerdict:
    """A monitor's verdict whose numbers nobody reads here."""
    return MonitorVerdict(monitor, reading, Evidence.UNPROVEN, 500, 1.0, 1.5, 1.0, 1.0, 20.0, reasons)


OK = Monitor((verdict(Reading.OK, "It is within its limit."),))
HOLD = Monitor((verdict(Reading.HOLD, "There is little to go by."),))
BREACH = Monitor((verdict(Reading.BREACH, "Evidence 520 (this rollout breaches at 480)."),))
SOUND = Facts(STABLE)
TOXIC = PolicyVerdict("toxicity", Action.PAUSE_FOR_REVIEW, violated=True, reasons=("Toxicity is at 0.3.",))
COSTLY = PolicyVerdict("cost", Action.ROLLBACK, violated=True, reasons=("A request costs 3 cents, limit 2.",))


def begun(previous: str | None = STABLE, **values: Any) -> Rollout:
    """A rollout as its start leaves it."""
    decision = start(
        plan=DEFAULT_PLAN, previous=previous, now=T0, order=ORDER, facts=StartFacts(stable=previous), **values
    )
    assert decision.rollout is not None
    return decision.rollout


def at(checkpoint: int, now: datetime = T0) -> Rollout:
    """A rollout that has just entered this checkpoint."""
    rollout = begun()
    while rollout.checkpoint < checkpoint:
        rollout = after(advanced(rollout, now, ()))
    return replace(rollout, entered_at=now)


def after(decision: Any) -> Rollout:
    """What a decision leaves."""
    assert decision.rollout is not None
    rollout: Rollout = decision.rollout
    return rollout


def seen(rollout: Rollout, **values: Any) -> MonitorVerdicts:
    """All that the present step asks for, but for what is given otherwise."""
    usual: dict[str, Any] = {
        "since": rollout.entered_at,
        "requests": rollout.step.requests,
        "requests_per_second": 10.0,
        "errors": OK,
        "latency": OK,
        "quality": OK,
    }
    return MonitorVerdicts(**{**usual, **values})
