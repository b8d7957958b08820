"""What a replica says of itself: a heartbeat each second, and an acknowledgement of each swap, at once.

An acknowledgement that does not get through is tried again for the snapshot that then serves; heartbeats are not, since
the next one says more.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from relcontrol.clock import now as present
from releases.gateway.control.edge_client import EdgeClient
from releases.gateway.control.errors import ControlPlaneError
from releases.gateway.control.holder import SnapshotHolder
from releases.gateway.control.in_flight import InFlight
from releases.gateway.control.options import CONTROL_ERRORS, Metrics, Options
from releases.gateway.control.snapshot import Snapshot
from releases.gateway.control.standing import BackOff, Standing
from releases.gateway.control.traces import TraceQueue

HEARTBEAT: Final = "/v1/gateways/heartbeat"
ACKNOWLEDGE: Final = "/v1/gateways/ack"
BEAT_S: Final = 1.0
NOWHERE: Final = (1, 0)  # what a replica reports before it holds a snapshot: epochs begin with 1
AGAIN_S: Final = (0.1, 2.0)

logger = logging.getLogger(__name__)


class Reports:
    """Two endless tasks, `beat` and `acknowledge`."""

    def __init__(
        self,
        *,
        client: EdgeClient,
        options: Options,
        holder: SnapshotHolder,
        in_flight: InFlight,
        queue: TraceQueue,
        metrics: Metrics,
        now: Callable[[], datetime] = present,
    ) -> None:
        self._client, self._options, self._holder, self._metrics = client, options, holder, metrics
        self._in_flight, self._queue, self._now = in_flight, queue, now
        self._swapped = asyncio.Event()
        self._beat_standing, self._swap_standing = Standing(logger, "heartbeats"), Standing(logger, "acknowledging")
        holder.listen(self._note_swap)

    async def beat(self) -> None:
        """Every second, however long the last answer took."""
        clock = asyncio.get_running_loop()
        due = clock.time()
        while True:
            await self._say(HEARTBEAT, self.heartbeat(), self._beat_standing)
            due = max(due + BEAT_S, clock.time())
            await asyncio.sleep(due - clock.time())

    async def acknowledge(self) -> None:
        """Each swap; swaps that follow faster than answers are acknowledged by the last of them."""
        pauses = BackOff(*AGAIN_S)
        while True:
            await self._swapped.wait()
            self._swapped.clear()
            if await self._say(ACKNOWLEDGE, self.acknowledgement(), self._swap_standing):
                pauses.reset()
            else:
                await asyncio.sleep(pauses.pause())
                self._swapped.set()

    def heartbeat(self) -> dict[str, Any]:
        """What is true of this replica now."""
        return self._who() | {
            "in_flight": self._in_flight.counts(),
            "queued": self._queue.queued,
            "dropped": self._queue.dropped,
            "version": self._options.version,
        }

    def acknowledgement(self) -> dict[str, Any]:
        """That this replica serves by the snapshot that it holds."""
        moment = self._now().isoformat(timespec="microseconds").replace("+00:00", "Z")
        return self._who() | {"at": moment}

    def _who(self) -> dict[str, Any]:
        current = self._holder.current
        epoch, generation = current.position if current else NOWHERE
        return {
            "replica": self._options.replica,
            "region": self._options.region,
            "epoch": epoch,
            "generation": generation,
            "fingerprints": current.fingerprints if current else [],
        }

    def _note_swap(self, _snapshot: Snapshot) -> None:
        self._swapped.set()

    async def _say(self, path: str, value: dict[str, Any], standing: Standing) -> bool:
        try:
            await self._client.post(path, value)
        except ControlPlaneError as error:
            self._metrics.count(CONTROL_ERRORS)
            standing.failed(error.sentence)
            return False
        standing.works()
        return True
