"""Getting a new snapshot to serve: fetch, verify, swap, keep (gateway.md "The snapshot").

The swap comes before the disk (`keeping`): requests should not wait for it. A refused snapshot leaves the old one
serving, counts an alarm, and is not fetched again for `REFUSED_S` unless the edge has another one.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

from relcontrol.clock import now as present
from releases.gateway.control.disk import LastGood
from releases.gateway.control.edge_client import EdgeClient, Fetched
from releases.gateway.control.errors import SnapshotRefusedError
from releases.gateway.control.holder import SnapshotHolder
from releases.gateway.control.keeping import Keeper
from releases.gateway.control.options import EPOCH, GENERATION, SNAPSHOTS, SNAPSHOTS_REFUSED, Metrics
from releases.gateway.control.snapshot import Position, Snapshot
from releases.gateway.control.trust import Trust
from releases.gateway.control.verification import verified

REFUSED_S: Final = 30.0
AT_ONCE_BYTES: Final = 64 * 1024  # a millisecond or two; going to a thread and back would take as long

logger = logging.getLogger(__name__)


class Refresher:
    """The one who replaces the snapshot of a worker."""

    def __init__(
        self,
        *,
        client: EdgeClient,
        holder: SnapshotHolder,
        disk: LastGood,
        trust: Trust,
        metrics: Metrics,
        now: Callable[[], datetime] = present,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._holder, self._disk, self._trust, self._metrics = client, holder, disk, trust, metrics
        self._now, self._monotonic = now, monotonic
        held = disk.held()
        self._newest: Position | None = held.position if held else None
        self._refused_etag, self._refused_at = "", 0.0
        self._one_at_a_time = asyncio.Lock()
        self._keeper = Keeper(disk)

    async def load(self) -> None:
        """Serve what the disk holds, where nothing serves yet. What does not verify is left alone, with a log line."""
        if self._holder.current is not None:
            return
        try:
            envelope = await asyncio.to_thread(self._disk.envelope)
            if envelope is not None:
                self._serve(await self._verified(envelope))
        except (SnapshotRefusedError, OSError) as error:
            logger.warning("the last good snapshot on disk is ignored: %s", error)

    async def refresh(self) -> None:
        """Ask for the snapshot; serve it if it is another one. Raises `ControlPlaneError` where nobody answers."""
        async with self._one_at_a_time:
            fetched = await self._client.routing(self._known_etag())
            if fetched is not None:
                await self._take(fetched)

    async def kept(self) -> None:
        """Return once what serves is on disk, or the disk has said that it cannot be."""
        await self._keeper.flush()

    def is_news(self, etag: str) -> bool:
        """Whether the generation of this name is neither the one that serves nor one that was just refused."""
        current = self._holder.current
        return not etag or etag not in (self._known_etag(), current.etag if current else "")

    async def _take(self, fetched: Fetched) -> None:
        try:
            snapshot = await self._verified(fetched.body)
        except SnapshotRefusedError as error:
            self._refuse(fetched, error)
            return
        self._refused_etag = ""
        self._serve(snapshot)
        self._keeper.keep(fetched.body, snapshot)

    async def _verified(self, envelope: bytes) -> Snapshot:
        if len(envelope) <= AT_ONCE_BYTES:
            return self._verify(envelope)
        return await asyncio.to_thread(self._verify, envelope)

    def _verify(self, envelope: bytes) -> Snapshot:
        current = self._holder.current
        return verified(
            envelope,
            keys=self._trust.keys,
            organization=self._trust.served,
            newest=self._newest,
            now=self._now(),
            known=current.releases if current else None,
        )

    def _serve(self, snapshot: Snapshot) -> None:
        self._newest = snapshot.position
        self._metrics.count(SNAPSHOTS)
        self._metrics.set(EPOCH, snapshot.epoch)
        self._metrics.set(GENERATION, snapshot.generation)
        self._holder.replace(snapshot)

    def _refuse(self, fetched: Fetched, error: SnapshotRefusedError) -> None:
        self._metrics.count(SNAPSHOTS_REFUSED)
        self._refused_etag, self._refused_at = fetched.etag, self._monotonic()
        current = self._holder.current
        serving = f"generation {current.etag} serves on" if current else "there is none to serve by"
        logger.error("ALARM: the snapshot %s was refused (%s); %s", fetched.etag or "without ETag", error, serving)

    def _known_etag(self) -> str:
        if self._refused_etag and self._monotonic() - self._refused_at < REFUSED_S:
            return self._refused_etag
        current = self._holder.current
        return current.etag if current else ""
