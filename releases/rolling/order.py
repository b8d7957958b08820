"""What a person or a pipeline asks for when a release shall roll out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from releases.checkpoints import Checkpoint

CANARY: Final = "canary"
SHADOW: Final = "shadow"
STRATEGIES: Final = (CANARY, SHADOW)


@dataclass(frozen=True, slots=True)
class RollOrder:
    """A checked plan, whether it begins in shadow, which monitors are to be without effect, and why it is asked."""

    plan: Sequence[Checkpoint]
    strategy: str = CANARY
    reason: str = ""
    dry_monitors: Sequence[str] = ()
