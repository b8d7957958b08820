"""JSON log lines, one per request and one per event, without bodies, keys, prompts or subjects.

Lines of requests are gathered and written by a thread twenty times a second: a slow reader of our output must not slow
requests down. Beyond a bound lines are dropped, and their number is told.
"""

import asyncio
import json
import logging
import sys
import traceback
from collections import deque
from datetime import UTC, datetime
from typing import Any, Final, TextIO

MOST_LINES: Final = 20_000
PAUSE_SECONDS: Final = 0.05
BREAKS_OFF: Final = "ASGI callable returned without completing response."


class JsonFormatter(logging.Formatter):
    """A record as one line. Of an exception only its kind and places are told: its text may repeat a prompt."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {"at": _moment(), "level": record.levelname.lower(), "logger": record.name}
        line["message"] = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            frames = traceback.extract_tb(error.__traceback__)
            line["error"] = type(error).__name__
            line["places"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        return json.dumps(line)


def configure(stream: TextIO | None = None) -> None:
    """Everything that is logged goes to stderr as JSON; what breaks a stream off on purpose is no error."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(lambda record: record.msg != BREAKS_OFF)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


class RequestLog:
    """Lines of requests on their way to stdout."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._lines: deque[dict[str, Any]] = deque()
        self._stream = stream or sys.stdout
        self._dropped = 0

    def add(self, line: dict[str, Any]) -> None:
        """Remember a line; never waits."""
        if len(self._lines) >= MOST_LINES:
            self._dropped += 1
        else:
            self._lines.append({"at": _moment(), **line})

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await asyncio.sleep(PAUSE_SECONDS)
            if self._lines:
                await asyncio.to_thread(self.flush)

    def flush(self) -> None:
        """Write what there is."""
        lines = [self._lines.popleft() for _ in range(len(self._lines))]
        if self._dropped:
            lines.append({"at": _moment(), "event": "log_lines_dropped", "lines": self._dropped})
            self._dropped = 0
        try:
            self._stream.write("".join(json.dumps(line) + "\n" for line in lines))
            self._stream.flush()
        except OSError:  # nobody reads any more, or the disk is full: requests go on
            self._dropped += len(lines)


def no_secrets(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """For the loop: what went wrong in a callback, without the objects that it went wrong with."""
    error = context.get("exception")
    logging.getLogger(__name__).error("%s", context.get("message", "an error in the event loop"), exc_info=error)


def _moment() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
