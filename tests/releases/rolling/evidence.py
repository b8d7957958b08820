"""Whether a step of a rollout was earned: worked out from the dictated readings and from the timeline alone."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from releases.monitors.verdict import Reading
from releases.rollout_models import Rollout, RolloutStep
from releases.rollouts.evidence import Action

BY_RULES = "internal"
HOLDS = {"paused", "waiting_review"}
FORWARD = {"promoted", "completed"}


@dataclass(frozen=True)
class Known:
    """What is true of chain and answers besides the monitors."""

    broken: bool = False
    foreign: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """The rollout before a look, when that was, and what it saw. `order` is a person's command."""

    row: Rollout
    at: datetime
    read: dict[str, Any]
    known: Known
    order: str = ""

    def allows(self, steps: list[RolloutStep]) -> None:
        """Every step that was taken on this evidence may be."""
        for step in steps:
            assert step.rollout_id == self.row.pk
            assert step.checkpoint in {self.row.checkpoint, self.row.checkpoint + 1}
            if step.act in FORWARD:
                self._nothing_stands_against_it()
                if step.actor == BY_RULES:
                    self._earned()
                else:
                    assert self.order == "promote"
            if step.act == "halted" and step.actor == BY_RULES:
                assert self._breached() or self._held_for_a_day()

    def _nothing_stands_against_it(self) -> None:
        assert not self._breached()
        assert self.read["sample_ratio"] is None
        assert not self.known.foreign

    def _earned(self) -> None:
        """Dwell, requests and three monitors, at this very checkpoint."""
        assert self.order == ""
        step: dict[str, Any] = self.row.plan[self.row.checkpoint - 1] if self.row.checkpoint else self.row.shadow or {}
        for name in ("errors", "latency", "quality"):
            assert self.read[name].dry or self.read[name].reading is Reading.OK
        assert self.read["requests"] >= step["requests"]
        assert self.dwelt() >= timedelta(seconds=step["dwell_seconds"])
        assert self.row.state in {"checkpoint", "shadowing"}

    def dwelt(self) -> timedelta:
        """The time since the checkpoint was entered, without that in which the rollout was held."""
        steps = list(RolloutStep.objects.filter(rollout=self.row, version__lte=self.row.version).order_by("version"))
        entered = max(n for n, step in enumerate(steps) if step.act in {"started", "promoted"})
        held, since = timedelta(0), None
        for step in steps[entered:]:
            if step.act in HOLDS:
                since = step.at
            elif since is not None:
                held, since = held + max(timedelta(0), step.at - since), None
        assert since is None
        return self.at - steps[entered].at - held

    def _breached(self) -> bool:
        breach = any(
            self.read[name].reading is Reading.BREACH and not self.read[name].dry
            for name in ("errors", "latency", "quality")
        )
        costly = any(policy.action is Action.ROLLBACK for policy in self.read["policies"])
        return breach or costly or self.known.broken

    def _held_for_a_day(self) -> bool:
        first = self.row.first_held_at
        return self.row.state in HOLDS and first is not None and self.at - first >= timedelta(hours=24)
