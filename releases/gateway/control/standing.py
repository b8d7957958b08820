"""Saying once that something stopped working, and once that it works again: a day without control plane is two lines.

Also the pauses between tries, drawn at random so that a hundred gateways do not come back in step.
"""

import logging
import random
from typing import Final

MOST_DOUBLINGS: Final = 16


class Standing:
    """Whether one thing works, in the log."""

    def __init__(self, logger: logging.Logger, what: str) -> None:
        self._logger, self._what, self._reason = logger, what, ""

    def failed(self, reason: str) -> None:
        """It does not work; the same reason is said once."""
        if reason != self._reason:
            self._logger.warning("%s: %s", self._what, reason)
        self._reason = reason

    def works(self) -> None:
        """It works (again)."""
        if self._reason:
            self._logger.info("%s: works again", self._what)
        self._reason = ""


class BackOff:
    """Pauses in seconds that grow to a limit, each drawn from [low, that]."""

    def __init__(self, low: float, high: float) -> None:
        self._low, self._high, self._tries = low, high, 0

    def pause(self) -> float:
        """How long to wait before the next try."""
        self._tries = min(self._tries + 1, MOST_DOUBLINGS)
        return random.uniform(self._low, min(self._high, self._low * 2**self._tries))  # noqa: S311 - no secret

    def reset(self) -> None:
        """It worked: the next pause is short again."""
        self._tries = 0
