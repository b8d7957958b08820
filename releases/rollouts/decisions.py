"""What was decided about a rollout, as a value with its reasons; page, API and receipt show the same ones."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from audit.events import Event
from relcontrol.errors import Conflict
from releases.rollouts.states import Rollout


class Act(StrEnum):
    """What happens to the rollout."""

    NOTHING = "nothing"
    STARTED = "started"
    EXTENDED = "extended"
    PROMOTED = "promoted"
    COMPLETED = "completed"
    WAITING_REVIEW = "waiting_review"
    PAUSED = "paused"
    RESUMED = "resumed"
    HALTED = "halted"
    ABORTED = "aborted"


EVENTS: Final = {
    Act.STARTED: Event.ROLLOUT_STARTED,
    Act.EXTENDED: Event.CHECKPOINT_HELD,
    Act.PROMOTED: Event.CHECKPOINT_PROMOTED,
    Act.COMPLETED: Event.ROLLOUT_COMPLETED,
    Act.WAITING_REVIEW: Event.CHECKPOINT_WAITING_REVIEW,
    Act.PAUSED: Event.ROLLOUT_PAUSED,
    Act.RESUMED: Event.ROLLOUT_RESUMED,
    Act.HALTED: Event.ROLLOUT_HALTED,
    Act.ABORTED: Event.ROLLOUT_ABORTED,
}


class Refusal(StrEnum):
    """Why a command was not carried out; the code of its 409."""

    OVER = "rollout_over"
    STALE = "stale_version"
    STATE = "rollout_state"
    ALARM = "rollout_alarm"
    OVERTAKEN = "rollout_overtaken"
    NOT_DEPLOYABLE = "not_deployable"
    REBASE = "rebase"
    NOT_READY = "rollout_not_ready"


@dataclass(frozen=True, slots=True)
class Decision:
    """The rollout as it is afterwards, None where none was started; `act` and `reasons` go into the receipt.

    With a `refusal` what a person asked for was not done. That alone says nothing of `act`: where a stronger rule
    overtook the command, say a breach a promotion, the change is committed *and* the command answered with a conflict.
    """

    act: Act
    rollout: Rollout | None
    reasons: tuple[str, ...] = ()
    refusal: Refusal | None = None

    @property
    def changes(self) -> bool:
        """There is something to store and a receipt to write."""
        return self.act is not Act.NOTHING

    @property
    def event(self) -> Event | None:
        """The receipt's event."""
        return EVENTS.get(self.act)

    def conflict(self) -> Conflict | None:
        """What a refused command is answered with: every reason, and the fresh state."""
        if self.refusal is None:
            return None
        state = {} if self.rollout is None else self.rollout.as_json()
        return Conflict(" ".join(self.reasons), code=self.refusal.value, state=state)
