"""Waiting for what another process does: until it is so, with an end."""

import time
from collections.abc import Callable


def eventually(condition: Callable[[], object], *, seconds: float = 15.0) -> bool:
    """Whether `condition` comes true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
