"""The queue of trace rows between requests and the sender: bounded by rows and bytes, never waited for.

A row is written as JSON when it is put in, so that the bound counts what is really held. What does not fit is dropped
and counted, and so is what later cannot be delivered; requests never notice.
"""

import asyncio
import gzip
import json
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from releases.gateway.control.options import MEBIBYTE

MAX_ROWS: Final = 20_000
MAX_BYTES: Final = 32 * MEBIBYTE
BATCH_ROWS: Final = 500
BATCH_BYTES: Final = 8 * MEBIBYTE  # before gzip; a larger row is a batch of its own
COMPRESSION: Final = 1

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Batch:
    """The body of one `POST /v1/traces`, compressed."""

    rows: int
    body: bytes


def packed(rows: Sequence[bytes]) -> Batch:
    """Rows that are JSON already, as the edge takes them."""
    body = b'{"traces":[' + b",".join(rows) + b"]}"
    return Batch(len(rows), gzip.compress(body, COMPRESSION, mtime=0))


class TraceQueue:
    """Used on the event loop of one worker."""

    def __init__(self, *, max_rows: int = MAX_ROWS, max_bytes: int = MAX_BYTES) -> None:
        self._max_rows, self._max_bytes = max_rows, max_bytes
        self._rows: deque[bytes] = deque()
        self._bytes = 0
        self._dropped = 0
        self._full_batch = asyncio.Event()

    @property
    def queued(self) -> int:
        """Rows that wait."""
        return len(self._rows)

    @property
    def dropped(self) -> int:
        """Rows that nobody will ever see, since the start of this worker."""
        return self._dropped

    def put(self, row: Mapping[str, Any]) -> bool:
        """Queue a row; false where it was dropped. Never waits, never raises."""
        try:
            line = json.dumps(row, separators=(",", ":"), allow_nan=False).encode("ascii")
        except (TypeError, ValueError, RecursionError) as error:
            logger.error("a trace row is no JSON and was dropped: %s", type(error).__name__)  # noqa: TRY400 - its text may hold a prompt
            self.lose(1)
            return False
        if len(self._rows) >= self._max_rows or self._bytes + len(line) > self._max_bytes:
            self.lose(1)
            return False
        self._rows.append(line)
        self._bytes += len(line)
        if len(self._rows) >= BATCH_ROWS or self._bytes >= BATCH_BYTES:
            self._full_batch.set()
        return True

    def lose(self, rows: int) -> None:
        """Count rows that were lost here or on their way."""
        self._dropped += rows

    def take(self) -> list[bytes]:
        """The oldest rows, as many as make one batch."""
        taken: list[bytes] = []
        size = 0
        while self._rows and len(taken) < BATCH_ROWS and (not taken or size + len(self._rows[0]) <= BATCH_BYTES):
            line = self._rows.popleft()
            size += len(line)
            taken.append(line)
        self._bytes -= size
        if len(self._rows) < BATCH_ROWS and self._bytes < BATCH_BYTES:
            self._full_batch.clear()
        return taken

    async def wait(self, seconds: float) -> None:
        """Until a whole batch waits, at most so long."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._full_batch.wait(), seconds)
