"""What goes wrong with the faulty model: drawn from prompt and number of the attempt, so that another may succeed."""

from enum import StrEnum
from typing import Final

from relcontrol.demo_models.draws import fraction

ATTEMPT_HEADER: Final = "x-relcontrol-attempt"
RETRY_AFTER_S: Final = 1
HANGS_S: Final = 30.0
REFUSAL: Final = "I'm sorry, but I can't help with judging this."
WRONG_SHAPE: Final = '{"verdict": "good", "points": "4 of 5"}'
DRIFTED: Final = "-2026-11-01"


class Fault(StrEnum):
    """One way to fail."""

    BUSY = "busy"
    ERROR = "error"
    HANG = "hang"
    HALF_JSON = "half json"
    REFUSAL = "refusal"
    WRONG_SHAPE = "wrong shape"
    DRIFTED = "drifted"


# Shares of all attempts; the rest is well.
SHARES: Final = {
    Fault.BUSY: 0.08,
    Fault.ERROR: 0.06,
    Fault.HANG: 0.01,
    Fault.HALF_JSON: 0.03,
    Fault.REFUSAL: 0.02,
    Fault.WRONG_SHAPE: 0.02,
    Fault.DRIFTED: 0.02,
}


def drawn_fault(key: bytes, attempt: int) -> Fault | None:
    """What goes wrong with this attempt at a prompt, if anything."""
    left = fraction(key, f"fault {attempt}")
    for fault, share in SHARES.items():
        if left < share:
            return fault
        left -= share
    return None
