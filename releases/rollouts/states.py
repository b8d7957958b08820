"""A rollout as a value: its state, its checkpoint and its clocks (contracts.md "States").

Two clocks run. The *dwell* of a checkpoint stands still while the rollout is held (`paused`, `waiting_review`). The
*hard clock* starts at the first hold of a checkpoint and nothing stops it: held 24 hours later, the rollout halts.
Pure: time comes in as an argument; a clock that jumps back counts as one that stands.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from relcontrol.web.words import iso_time
from releases.bucketing import BASIS_POINTS_PER_PERCENT
from releases.checkpoints import Checkpoint

MAX_EXTENSIONS: Final = 3
HARD_CLOCK: Final = timedelta(hours=24)
COLD_START_SHADOW: Final = Checkpoint(percent=0, dwell_seconds=86_400, requests=1_000)
NO_TIME: Final = timedelta(0)


class State(StrEnum):
    """Where a rollout stands."""

    SHADOWING = "shadowing"
    CHECKPOINT = "checkpoint"
    PAUSED = "paused"
    WAITING_REVIEW = "waiting_review"
    COMPLETED = "completed"
    HALTED = "halted"
    ABORTED = "aborted"


HELD: Final = frozenset({State.PAUSED, State.WAITING_REVIEW})
TERMINAL: Final = frozenset({State.COMPLETED, State.HALTED, State.ABORTED})


@dataclass(frozen=True, slots=True)
class Rollout:
    """One rollout at one moment; every change makes the next `version`.

    `checkpoint` counts from 1; 0 is the shadow. `due` is the reading of the dwell clock at which the checkpoint is
    judged next, `judged` whether it was judged with all its requests there. The clock has stood still for `frozen`, and
    since `stopped_at` where that is set. `reviewed` names the policies that a person has looked at in this checkpoint.
    `reasons` say why the state is what it is.
    """

    plan: tuple[Checkpoint, ...]
    previous: str | None
    shadow: Checkpoint | None
    state: State
    checkpoint: int
    entered_at: datetime
    due: timedelta
    judged: bool = False
    extensions: int = 0
    frozen: timedelta = NO_TIME
    stopped_at: datetime | None = None
    first_held_at: datetime | None = None
    reviewed: frozenset[str] = frozenset()
    reasons: tuple[str, ...] = ()
    version: int = 1

    @property
    def cold_start(self) -> bool:
        """There was nothing on the route to compare with or to go back to."""
        return self.previous is None

    @property
    def over(self) -> bool:
        """Nothing changes it any more."""
        return self.state in TERMINAL

    @property
    def held(self) -> bool:
        """Its share stands still until a person decides, or the hard clock does."""
        return self.state in HELD

    @property
    def step(self) -> Checkpoint:
        """What it holds for at present."""
        if self.checkpoint > 0:
            return self.plan[self.checkpoint - 1]
        if self.shadow is None:
            raise ValueError("a rollout without a shadow begins at checkpoint 1")
        return self.shadow

    @property
    def dwell(self) -> timedelta:
        """One dwell of the present checkpoint."""
        return timedelta(seconds=self.step.dwell_seconds)

    @property
    def last(self) -> bool:
        """What comes after the present step is the end: the last checkpoint, or the shadow of a cold start."""
        return self.checkpoint == (0 if self.cold_start else len(self.plan))

    @property
    def basis_points(self) -> int:
        """The candidate's share of the route in hundredths of a percent; a completed release has all of it."""
        if self.state in {State.HALTED, State.ABORTED}:
            return 0
        percent = self.plan[-1].percent if self.state is State.COMPLETED else self.step.percent
        return percent * BASIS_POINTS_PER_PERCENT

    @property
    def halts_at(self) -> datetime | None:
        """When the hard clock of this checkpoint runs out; None before its first hold and after the end."""
        return None if self.over or self.first_held_at is None else self.first_held_at + HARD_CLOCK

    def dwelt(self, now: datetime) -> timedelta:
        """The reading of the dwell clock."""
        until = now if self.stopped_at is None else self.stopped_at
        return max(NO_TIME, until - self.entered_at - self.frozen)

    def as_json(self) -> dict[str, Any]:
        """The fresh state, as a conflict and the API show it."""
        return {
            "state": self.state.value,
            "checkpoint": self.checkpoint,
            "percent": self.basis_points / BASIS_POINTS_PER_PERCENT,
            "extensions": self.extensions,
            "entered_at": iso_time(self.entered_at),
            "halts_at": iso_time(self.halts_at) if self.halts_at else None,
            "reasons": list(self.reasons),
            "version": self.version,
        }

    def changed(self, **values: Any) -> "Rollout":
        """The next version of it."""
        return replace(self, **values, version=self.version + 1)
