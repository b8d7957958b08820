"""Calls to model servers from a worker: a few in flight on a loop of their own, answers taken one by one.

The worker's own thread speaks to the database, which an event loop must not; here nothing but HTTP happens.
"""

import asyncio
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import replace
from random import Random
from types import TracebackType
from typing import Any, Self

import aiohttp

from relcontrol.model_servers.client import Answer, answer
from relcontrol.model_servers.retries import may_pass, pause_before_retry


class Calls:
    """A thread with an event loop and one pool of connections; leaving it gives up what is still in flight.

    `time_limit` is that of one attempt, in seconds. With several `attempts` a call that failed by what may pass is made
    again after a pause; `seed` is that of the chance which spreads the pauses.
    """

    def __init__(self, *, time_limit: float, attempts: int = 1, seed: int | None = None) -> None:
        self._time_limit, self._attempts = time_limit, attempts
        self._chance = Random(seed)  # noqa: S311 - spreads pauses, guards nothing
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="model-calls", daemon=True)
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

    def ask(
        self, base_url: str, credential: str, body: Mapping[str, Any], *, time_limit: float | None = None
    ) -> "Future[Answer]":
        """One call, begun at once; the last answer that it gets. Another `time_limit` may hold for it alone."""
        call = self._ask(base_url, credential, body, time_limit or self._time_limit)
        return asyncio.run_coroutine_threadsafe(call, self._loop)

    async def _ask(self, base_url: str, credential: str, body: Mapping[str, Any], seconds: float) -> Answer:
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        billed, attempt = (0, 0), 1
        while True:
            got = await answer(base_url, credential, body, seconds, session=self._session, attempt=attempt)
            got = replace(got, attempts=attempt, billed_before=billed)
            if attempt >= self._attempts or not may_pass(got):
                return got
            await asyncio.sleep(pause_before_retry(got, attempt, self._chance))
            billed, attempt = got.billed, attempt + 1

    async def _close(self) -> None:
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
