"""Waiting for what other threads and processes do: until a condition holds, with a deadline that names it."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")
STEP_SECONDS = 0.02
LEAST_SECONDS = 60.0  # a deadline ends what never happens; it does not measure how busy the machine is


def until(condition: Callable[[], Answer], seconds: float, what: str) -> Answer:
    """The first true answer of `condition`; a test failure that says what did not happen in time."""
    seconds = max(seconds, LEAST_SECONDS)
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        pause.wait(STEP_SECONDS)
    return answer
