"""What a person or a pipeline asks for when a release shall roll out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from releases.checkpoints import Checkpoint
from releases.weights.drift import HALT

CANARY: Final = "canary"
SHADOW: Final = "shadow"
STRATEGIES: Final = (CANARY, SHADOW)


@dataclass(frozen=True, slots=True)
class RollOrder:
    """A checked plan, whether it begins in shadow, which monitors are to be without effect, and why it is asked.

    `weights_drift` says what it does when an observer sees other weights than registered: halt, review or ignore.
    """

    plan: Sequence[Checkpoint]
    strategy: str = CANARY
    reason: str = ""
    dry_monitors: Sequence[str] = ()
    weights_drift: str = HALT
