"""All of a worker's dealings with the control plane, as tasks beside its requests.

Fail-static: whatever happens here, requests are served by the snapshot that is held. An unexpected error in one task is
logged and the task begins again; it never reaches a request and never ends another task.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from releases.gateway.control.delivery import Delivery
from releases.gateway.control.disk import LastGood
from releases.gateway.control.edge_client import EdgeClient
from releases.gateway.control.errors import UnusableTrustError
from releases.gateway.control.holder import SnapshotHolder
from releases.gateway.control.in_flight import InFlight
from releases.gateway.control.options import CONTROL_ERRORS, Metrics, Options
from releases.gateway.control.refreshing import Refresher
from releases.gateway.control.reports import Reports
from releases.gateway.control.shipping import Shipper
from releases.gateway.control.spool import Spool
from releases.gateway.control.standing import BackOff
from releases.gateway.control.traces import TraceQueue
from releases.gateway.control.trust import Trust, trust_of
from releases.gateway.control.watching import Watch

RESTART_S: Final = (0.5, 10.0)

logger = logging.getLogger(__name__)


class ControlPlane:
    """Made before serving begins: it raises `UnusableTrustError` or `OSError` where it could never work.

    `run` goes on until it is cancelled or `drain` has flushed the traces.
    """

    def __init__(
        self, options: Options, holder: SnapshotHolder, in_flight: InFlight, queue: TraceQueue, metrics: Metrics
    ) -> None:
        trust, disk = trust_of(options.trust), LastGood(options.data_dir)
        _refuse_foreign_folder(disk, trust, options)
        self._metrics = metrics
        self._client = EdgeClient(options)
        self._refresher = Refresher(client=self._client, holder=holder, disk=disk, trust=trust, metrics=metrics)
        self._watch = Watch(self._client, self._refresher, metrics)
        self._reports = Reports(
            client=self._client, options=options, holder=holder, in_flight=in_flight, queue=queue, metrics=metrics
        )
        self._shipper = Shipper(
            delivery=Delivery(self._client, queue, metrics),
            queue=queue,
            spool=Spool(options.data_dir, max_bytes=options.spool_bytes),
            metrics=metrics,
        )
        self._drained = asyncio.Event()

    async def run(self) -> None:
        """Load the last good snapshot, then stay in step with the control plane."""
        await self._refresher.load()
        async with self._client:
            tasks = [
                asyncio.create_task(self._always(name, work), name=f"control: {name}")
                for name, work in (
                    ("stream", self._watch.stream),
                    ("poll", self._watch.poll),
                    ("heartbeat", self._reports.beat),
                    ("acknowledge", self._reports.acknowledge),
                    ("send", self._shipper.send),
                    ("replay", self._shipper.replay),
                )
            ]
            try:
                await self._drained.wait()
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                await self._refresher.kept()

    async def drain(self, deadline_s: float) -> None:
        """Send what is queued, spool what cannot be sent in time, and end `run`. Call it after the last request."""
        try:
            await self._shipper.flush(deadline_s)
        finally:
            self._drained.set()

    async def _always(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        pauses = BackOff(*RESTART_S)
        while True:
            try:
                await work()
            except Exception:
                logger.exception("the control-plane task %s failed and begins again", name)
                self._metrics.count(CONTROL_ERRORS)
            await asyncio.sleep(pauses.pause())


def _refuse_foreign_folder(disk: LastGood, trust: Trust, options: Options) -> None:
    held = disk.held()
    if held is not None and held.served != trust.served:
        raise UnusableTrustError(
            f"{options.data_dir} holds snapshots of {held.served.organization} ({held.served.origin}), but the trust "
            f"file is of {trust.served.organization} ({trust.served.origin}). Give each gateway a folder of its own."
        )
