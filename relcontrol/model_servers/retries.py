"""When a call is worth another attempt, and how long to wait before it.

What may pass by itself is tried again: a server that is overloaded, restarts, hangs, or breaks off. What the server
refuses it would refuse again. Pauses double and are spread by chance, so that calls that failed together do not come
back together; a server's own Retry-After counts up to a limit.
"""

from random import Random
from typing import Final

from relcontrol.model_servers import outcomes
from relcontrol.model_servers.client import Answer

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 8.0
LONGEST_WISH: Final = 30.0
TOO_MANY: Final = 429
_PASSING: Final = frozenset(
    {outcomes.UPSTREAM_5XX, outcomes.CONNECTION_FAILED, outcomes.TIMEOUT, outcomes.STREAM_BROKEN}
)


def may_pass(answer: Answer) -> bool:
    """Whether what went wrong may be gone at the next attempt."""
    return answer.error in _PASSING or answer.status == TOO_MANY


def pause_before_retry(answer: Answer, attempt: int, chance: Random) -> float:
    """Seconds to wait after the attempt with this number (from 1) failed."""
    doubled: float = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempt - 1))
    spread = doubled * (0.5 + chance.random() / 2)
    return max(spread, min(LONGEST_WISH, answer.retry_after_s or 0.0))
