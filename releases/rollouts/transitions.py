"""The moves of a rollout, one function each: what changes in the value (contracts.md "States").

Whether a move is due is decided elsewhere: by rules in `deciding`, by a person in `commands`. A new checkpoint begins
with clocks, extensions and reviews of its own.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from releases.rollouts.decisions import Act, Decision
from releases.rollouts.states import NO_TIME, Rollout, State

Reasons = tuple[str, ...]

ENDS: Final = {Act.COMPLETED: State.COMPLETED, Act.HALTED: State.HALTED, Act.ABORTED: State.ABORTED}
HOLDS: Final = {Act.PAUSED: State.PAUSED, Act.WAITING_REVIEW: State.WAITING_REVIEW}


def unchanged(rollout: Rollout, reasons: Reasons = ()) -> Decision:
    """Nothing to do at this look."""
    return Decision(Act.NOTHING, rollout, reasons)


def ended(rollout: Rollout, now: datetime, act: Act, reasons: Reasons) -> Decision:
    """A terminal state; checkpoint and dwell stay as they were at the end."""
    after = rollout.changed(state=ENDS[act], stopped_at=rollout.stopped_at or now, reasons=reasons)
    return Decision(act, after, reasons)


def advanced(rollout: Rollout, now: datetime, reasons: Reasons) -> Decision:
    """One checkpoint further, or completed after the last."""
    if rollout.last:
        return ended(rollout, now, Act.COMPLETED, reasons)
    after = rollout.changed(
        state=State.CHECKPOINT,
        checkpoint=rollout.checkpoint + 1,
        entered_at=now,
        due=timedelta(seconds=rollout.plan[rollout.checkpoint].dwell_seconds),
        judged=False,
        extensions=0,
        frozen=NO_TIME,
        stopped_at=None,
        first_held_at=None,
        reviewed=frozenset(),
        reasons=reasons,
    )
    return Decision(Act.PROMOTED, after, reasons)


def extended(rollout: Rollout, now: datetime, reasons: Reasons, *, judged: bool) -> Decision:
    """One more dwell at the same checkpoint."""
    due = rollout.dwelt(now) + rollout.dwell
    after = rollout.changed(extensions=rollout.extensions + 1, due=due, judged=judged, reasons=reasons)
    return Decision(Act.EXTENDED, after, reasons)


def held(rollout: Rollout, now: datetime, act: Act, reasons: Reasons) -> Decision:
    """The share stands still; the first hold of a checkpoint starts its hard clock."""
    first = rollout.first_held_at or now
    after = rollout.changed(state=HOLDS[act], stopped_at=now, first_held_at=first, reasons=reasons)
    return Decision(act, after, reasons)


def resumed(rollout: Rollout, now: datetime, reasons: Reasons, *, reviewed: Collection[str], judged: bool) -> Decision:
    """Back to where it was held. A dwell that ran out before a review begins once more; the hard clock never does."""
    clock, stood = rollout.dwelt(now), max(NO_TIME, now - (rollout.stopped_at or now))
    after = rollout.changed(
        state=State.CHECKPOINT if rollout.checkpoint else State.SHADOWING,
        frozen=rollout.frozen + stood,
        stopped_at=None,
        reviewed=rollout.reviewed | frozenset(reviewed),
        reasons=reasons,
    )
    if rollout.state is State.WAITING_REVIEW:
        due = rollout.due if clock < rollout.due else clock + rollout.dwell
        after = replace(after, due=due, judged=judged)
    return Decision(Act.RESUMED, after, reasons)
