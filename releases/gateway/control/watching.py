"""Hearing of new generations: the event stream, and a poll beside it as the safety net (gateway.md "Arrival").

Both end in the same `Refresher`, which asks by ETag, so that hearing twice costs one small answer. The stream is
opened again after a short random pause; the poll never stops.
"""

import asyncio
import json
import logging
import random
from contextlib import aclosing
from typing import Final

from releases.gateway.control.edge_client import EdgeClient
from releases.gateway.control.errors import ControlPlaneError
from releases.gateway.control.options import CONTROL_ERRORS, Metrics
from releases.gateway.control.refreshing import Refresher
from releases.gateway.control.standing import BackOff, Standing

RECONNECT_S: Final = (0.1, 2.0)
POLL_S: Final = (1.0, 2.0)

logger = logging.getLogger(__name__)


class Watch:
    """Two endless tasks, `stream` and `poll`."""

    def __init__(self, client: EdgeClient, refresher: Refresher, metrics: Metrics) -> None:
        self._client, self._refresher, self._metrics = client, refresher, metrics
        self._stream_standing = Standing(logger, "the stream of generations")
        self._poll_standing = Standing(logger, "asking for the snapshot")

    async def stream(self) -> None:
        """Listen, and listen again whenever the stream ends."""
        pauses = BackOff(*RECONNECT_S)
        while True:
            try:
                await self._listen(pauses)
                reason = "the control plane ended it"
            except ControlPlaneError as error:
                reason = error.sentence
                self._metrics.count(CONTROL_ERRORS)
            self._stream_standing.failed(reason)
            await asyncio.sleep(pauses.pause())

    async def poll(self) -> None:
        """Ask every second or two."""
        while True:
            await self.ask()
            await asyncio.sleep(random.uniform(*POLL_S))  # noqa: S311 - no secret

    async def ask(self) -> None:
        """Ask once; an unreachable control plane is counted, nothing else."""
        try:
            await self._refresher.refresh()
        except ControlPlaneError as error:
            self._metrics.count(CONTROL_ERRORS)
            self._poll_standing.failed(error.sentence)
        else:
            self._poll_standing.works()

    async def _listen(self, pauses: BackOff) -> None:
        async with aclosing(self._client.announcements()) as announcements:
            async for announcement in announcements:
                pauses.reset()
                self._stream_standing.works()
                if self._refresher.is_news(_etag(announcement)):
                    await self.ask()


def _etag(announcement: str) -> str:
    """The generation that an event names, as an ETag; what cannot be read is news of no name."""
    try:
        said = json.loads(announcement)
        return f'"{said["epoch"]}-{said["generation"]}"'
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""
