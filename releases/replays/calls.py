"""Calls to model servers from a worker: a few in flight on a loop of their own, answers taken one by one.

The worker's own thread speaks to the database, which an event loop must not; here nothing but HTTP happens.
"""

import asyncio
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self

import aiohttp

from releases.replays.client import Answer, answer


class Calls:
    """A thread with an event loop and one pool of connections; leaving it gives up what is still in flight."""

    def __init__(self, *, time_limit: float) -> None:
        self._time_limit = time_limit
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="replays", daemon=True)
        self._session: aiohttp.ClientSession | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def ask(self, base_url: str, credential: str, body: Mapping[str, Any]) -> "Future[Answer]":
        """One call, begun at once."""
        return asyncio.run_coroutine_threadsafe(self._ask(base_url, credential, body), self._loop)

    async def _ask(self, base_url: str, credential: str, body: Mapping[str, Any]) -> Answer:
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        return await answer(base_url, credential, body, self._time_limit, session=self._session)

    async def _close(self) -> None:
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
