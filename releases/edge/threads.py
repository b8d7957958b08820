"""Threads that talk to the database for the event loop: so many at once, so many waiting, and no more.

Each thread keeps its connection of Django's; one that broke is given back before and after each piece of work.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from threading import Lock
from typing import Any, ParamSpec, TypeVar

from django.db import close_old_connections, connections

from relcontrol.errors import TooManyRequests

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


class Threads:
    """A number of threads, and room for so much more work that waits for one of them."""

    def __init__(self, name: str, *, threads: int, waiting: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=f"edge-{name}")
        self._room = threads + waiting
        self._lock = Lock()
        self.taken = 0

    async def run(self, work: Callable[Arguments, Answer], *args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
        """What `work` returns or raises; `TooManyRequests` where too much waits already."""
        with self._lock:
            if self.taken >= self._room:
                raise TooManyRequests("This process is busy; send it again in a second.", retry_after=1)
            self.taken += 1
        call = partial(copy_context().run, _with_fresh_connection, partial(work, *args, **kwargs))
        future: Future[Answer] = self._executor.submit(call)
        future.add_done_callback(self._left)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """End the threads once their present work is done."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _left(self, _: Future[Any]) -> None:
        """Work that ran or never will: not when its request went away, because the thread goes on."""
        with self._lock:
            self.taken -= 1


def _with_fresh_connection(work: Callable[[], Answer]) -> Answer:
    close_old_connections()
    try:
        return work()
    finally:
        for connection in connections.all(initialized_only=True):
            connection.close_if_unusable_or_obsolete()
