"""What can be said of a plan before it begins (statistics.md R13). Pure."""

import math
from collections.abc import Iterator, Sequence
from typing import Final

from releases.checkpoints import ALL_TRAFFIC, Checkpoint
from releases.monitors.frozen import FEWEST_REQUESTS
from releases.rollouts.wording import counted, share

MARGIN: Final = 2.0  # standard deviations


def foreseen(plan: Sequence[Checkpoint]) -> Iterator[str]:
    """What somebody should know of this plan, in sentences; mostly nothing.

    At a share p, n requests of the candidate come with n·(1 − p)/p of stable on average, of variance n·(1 − p)/p².
    """
    steps = [(step.percent / 100, step.requests) for step in plan if 0 < step.percent < ALL_TRAFFIC]
    stable = sum(requests * (1 - p) / p for p, requests in steps)
    spread = math.sqrt(sum(requests * (1 - p) / p**2 for p, requests in steps))
    if stable - MARGIN * spread < FEWEST_REQUESTS:
        yield (
            f"At {share(ALL_TRAFFIC)} errors and latency are compared with what was counted of the release before: by "
            f"this plan about {counted(round(stable), 'request')}. With fewer than {FEWEST_REQUESTS:,} they only hold, "
            "and a person has to promote it: ask for more requests at the checkpoints before, unless their time brings "
            "them."
        )
