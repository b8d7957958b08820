"""Traces from the queue to the edge, by way of the spool while the control plane is away (gateway.md "Traces").

`away` is learnt from a batch that could not be delivered; from then on batches go to the spool at once, and the spool's
oldest file is what asks whether the edge is back. A batch is in one place at any time: the queue, a file, or the wire.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from releases.gateway.control.delivery import Delivery, Fate
from releases.gateway.control.options import TRACES_DROPPED, TRACES_QUEUED, TRACES_REPLAYED, TRACES_SPOOLED, Metrics
from releases.gateway.control.spool import Spool
from releases.gateway.control.standing import BackOff, Standing
from releases.gateway.control.traces import Batch, TraceQueue, packed

BATCH_S: Final = 0.5
EMPTY_S: Final = 1.0
RETURN_S: Final = (0.5, 5.0)
KEPT: Final = (Fate.NOT_NOW, Fate.FAILED)

logger = logging.getLogger(__name__)


class Shipper:
    """Two endless tasks, `send` and `replay`, and the flush at the end."""

    def __init__(self, *, delivery: Delivery, queue: TraceQueue, spool: Spool, metrics: Metrics) -> None:
        self._delivery, self._queue, self._spool, self._metrics = delivery, queue, spool, metrics
        self._away = False
        self._dropped_before = 0
        self._sending = asyncio.Lock()
        self._disk_standing = Standing(logger, "spooling traces")

    async def send(self) -> None:
        """Send what is queued, in full batches or every half second."""
        while True:
            await self._queue.wait(BATCH_S)
            await self._send_queued()

    async def replay(self) -> None:
        """Send what is spooled, oldest first."""
        pauses = BackOff(*RETURN_S)
        while True:
            if await self.replay_one():
                pauses.reset()
            else:
                await asyncio.sleep(pauses.pause() if self._away else EMPTY_S)

    async def replay_one(self) -> bool:
        """Whether a spooled batch was delivered. An empty spool means that the next batch asks the edge itself."""
        claim, damaged = await asyncio.to_thread(self._spool.claim)
        self._queue.lose(damaged)
        if claim is None:
            self._away = False
            return False
        fate = Fate.NOT_NOW
        try:
            fate = await self._delivery.deliver(claim.batch, tries=1)
        finally:  # also when this task is cancelled: the file must not stay claimed
            if fate in KEPT:
                self._spool.back(claim, last=fate is Fate.FAILED)
            else:
                self._spool.done(claim)
        self._away = fate is Fate.NOT_NOW
        if fate is Fate.TAKEN:
            self._metrics.count(TRACES_REPLAYED, claim.batch.rows)
        return fate not in KEPT

    async def flush(self, deadline_s: float) -> None:
        """Everything that is queued to the edge, and what the time does not suffice for to the spool."""
        try:
            async with asyncio.timeout(deadline_s):
                await self._send_queued()
                while not self._away and await self.replay_one():
                    pass
        except TimeoutError:
            logger.warning("draining took too long: %d trace rows go to the spool", self._queue.queued)
        while self._queue.queued:
            self._keep(packed(self._queue.take()))
        self._report()

    async def _send_queued(self) -> None:
        async with self._sending:
            while self._queue.queued:
                await self._ship(self._queue.take())
                self._report()
        self._report()

    async def _ship(self, rows: Sequence[bytes]) -> None:
        settled = False
        try:
            batch = await asyncio.to_thread(packed, rows)
            if not self._away:
                fate = await self._delivery.deliver(batch)
                settled, self._away = fate not in KEPT, fate is Fate.NOT_NOW
            if not settled:
                settled = True  # a thread that was begun ends, also where nobody waits for it any more
                await asyncio.to_thread(self._keep, batch)
        finally:  # cancelled on the way: the edge may have the rows, but only the spool is sure
            if not settled:
                self._keep(packed(rows))

    def _keep(self, batch: Batch) -> None:
        try:
            dropped = self._spool.put(batch)
        except OSError as error:
            self._disk_standing.failed(f"the disk takes nothing, rows are lost and counted: {error.strerror or error}")
            self._queue.lose(batch.rows)
            self._away = False  # without a spool the next batch had better ask the edge itself
        else:
            self._disk_standing.works()
            self._queue.lose(dropped)
            self._metrics.count(TRACES_SPOOLED, batch.rows)

    def _report(self) -> None:
        self._metrics.set(TRACES_QUEUED, self._queue.queued)
        if lost := self._queue.dropped - self._dropped_before:
            self._metrics.count(TRACES_DROPPED, lost)
            self._dropped_before = self._queue.dropped
