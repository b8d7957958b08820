"""What a person may do with a rollout, each with a reason (contracts.md "States").

Monitors are read first, so that nobody promotes past a breach: rollback > halt > pause > a person's promote > an
automatic promote. A command against a state that has moved on is refused with the fresh one. Where a stronger rule
overtakes a command, the decision carries both the change and the refusal: the caller commits one and answers the other.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from releases.rollouts.deciding import alarms, changed_underneath, complete, overriding
from releases.rollouts.decisions import Act, Decision, Refusal
from releases.rollouts.evidence import Action, Facts, MonitorVerdicts
from releases.rollouts.states import Rollout, State
from releases.rollouts.transitions import advanced, ended, held, resumed

WORDS: Final = {
    State.SHADOWING: "answers in shadow",
    State.CHECKPOINT: "is at a checkpoint and moving",
    State.PAUSED: "is paused",
    State.WAITING_REVIEW: "waits for a review",
    State.COMPLETED: "is completed",
    State.HALTED: "was halted",
    State.ABORTED: "was aborted",
}
USED_UP: Final = "This checkpoint has been held for its 24 hours already: the rollout halts at the next look."


@dataclass(frozen=True, slots=True)
class Order:
    """Who commands, why, and which version she saw; None where she does not say."""

    who: str
    reason: str
    expected_version: int | None = None

    @property
    def said(self) -> str:
        """Her part of the receipt."""
        return f"{self.who}: {self.reason}"


def pause(rollout: Rollout, now: datetime, order: Order, measured: MonitorVerdicts, facts: Facts) -> Decision:
    """The dwell stands still; monitors and the hard clock go on."""
    if answer := _refused(rollout, order) or _overtaken(rollout, now, measured, facts):
        return answer
    if rollout.held:
        return _not_now(rollout, "Only a rollout that moves can be paused.")
    late = rollout.halts_at is not None and now >= rollout.halts_at
    return held(rollout, now, Act.PAUSED, (order.said, *((USED_UP,) if late else ())))


def resume(rollout: Rollout, now: datetime, order: Order, measured: MonitorVerdicts, facts: Facts) -> Decision:
    """On at the same checkpoint; policies that are violated now count as reviewed there."""
    if answer := _refused(rollout, order) or _overtaken(rollout, now, measured, facts):
        return answer
    if not rollout.held:
        return _not_now(rollout, "Only a rollout that is paused or waits for a review can be resumed.")
    if answer := _alarmed(rollout, measured, facts):
        return answer
    reviewed = [policy.name for policy in measured.violated(Action.PAUSE_FOR_REVIEW)]
    return resumed(rollout, now, (order.said,), reviewed=reviewed, judged=complete(rollout, measured))


def promote(rollout: Rollout, now: datetime, order: Order, measured: MonitorVerdicts, facts: Facts) -> Decision:
    """One checkpoint further without waiting for the rest of dwell, requests or proof."""
    if answer := _refused(rollout, order) or _overtaken(rollout, now, measured, facts):
        return answer
    if rollout.checkpoint == 0:
        return _not_now(rollout, "A shadow goes on by itself when its time and its evidence are there.")
    return _alarmed(rollout, measured, facts) or advanced(rollout, now, (order.said,))


def halt(rollout: Rollout, now: datetime, order: Order, facts: Facts) -> Decision:
    """Traffic back to the stable release, for good. Needs no evidence."""
    if answer := _refused(rollout, order):
        return answer
    if facts.stable != rollout.previous:
        aborted = ended(rollout, now, Act.ABORTED, (changed_underneath(rollout, facts),))
        return replace(aborted, refusal=Refusal.OVERTAKEN)
    return ended(rollout, now, Act.HALTED, (order.said,))


def abort(rollout: Rollout, now: datetime, order: Order) -> Decision:
    """What a rollback of the route does with the rollout on it: the strongest command of all."""
    return _refused(rollout, order) or ended(rollout, now, Act.ABORTED, (order.said,))


def _refused(rollout: Rollout, order: Order) -> Decision | None:
    if rollout.over:
        why = f"The rollout {WORDS[rollout.state]}, which is final; start another one."
        return _refusal(rollout, Refusal.OVER, (why, *rollout.reasons))
    if order.expected_version not in {None, rollout.version}:
        why = f"The rollout has moved on from version {order.expected_version} to {rollout.version}: look again."
        return _refusal(rollout, Refusal.STALE, (why, *rollout.reasons))
    return None


def _overtaken(rollout: Rollout, now: datetime, measured: MonitorVerdicts, facts: Facts) -> Decision | None:
    stronger = overriding(rollout, now, measured, facts)
    return None if stronger is None else replace(stronger, refusal=Refusal.OVERTAKEN)


def _alarmed(rollout: Rollout, measured: MonitorVerdicts, facts: Facts) -> Decision | None:
    standing = alarms(measured, facts)
    if not standing:
        return None
    return _refusal(rollout, Refusal.ALARM, (*standing, "Put that right, or halt the rollout."))


def _not_now(rollout: Rollout, rule: str) -> Decision:
    return _refusal(rollout, Refusal.STATE, (f"The rollout {WORDS[rollout.state]}. {rule}",))


def _refusal(rollout: Rollout, refusal: Refusal, reasons: Collection[str]) -> Decision:
    return Decision(Act.NOTHING, rollout, tuple(reasons), refusal)
