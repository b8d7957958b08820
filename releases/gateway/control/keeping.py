"""Keeping what serves on disk, a moment after the swap: requests and the acknowledgement come first.

A disk may take its time, and neither it nor the processor is to be shared with a change that everybody waits for. Who
is killed within that moment starts again with the generation before, as one who was killed before the swap does.
"""

import asyncio
import logging
from typing import Final

from releases.gateway.control.disk import LastGood
from releases.gateway.control.snapshot import Snapshot
from releases.gateway.control.standing import Standing

AFTER_S: Final = 0.25

logger = logging.getLogger(__name__)


class Keeper:
    """Writes the newest snapshot that it was given; on the event loop of one worker."""

    def __init__(self, disk: LastGood, after_s: float = AFTER_S) -> None:
        self._disk, self._after_s = disk, after_s
        self._waiting: tuple[bytes, Snapshot] | None = None
        self._task: asyncio.Task[None] | None = None
        self._standing = Standing(logger, "the last good snapshot on disk")

    def keep(self, envelope: bytes, snapshot: Snapshot) -> None:
        """Write it soon, unless a later one comes before that."""
        self._waiting = envelope, snapshot
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._keep_soon(), name="control: keep")

    async def flush(self) -> None:
        """Write at once what still waits. A disk that does not do it is said in the log, and serving goes on."""
        waiting, self._waiting = self._waiting, None
        if waiting is None:
            return
        try:
            await asyncio.to_thread(self._disk.store, *waiting)
        except OSError as error:
            self._standing.failed(f"cannot be written, a restart would begin with an older one: {error}")
        else:
            self._standing.works()

    async def _keep_soon(self) -> None:
        while self._waiting is not None:
            await asyncio.sleep(self._after_s)
            await self.flush()
