"""Work that several ask for at the same moment is done once, and all of them get its answer.

A hundred replicas hear of a new generation at once and ask for the same snapshot with the same token.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class Shared(Generic[Answer]):
    """Answers under way, by what they answer. On the event loop only."""

    def __init__(self) -> None:
        self._under_way: dict[Hashable, asyncio.Future[Answer]] = {}

    async def answer(self, key: Hashable, work: Callable[[], Awaitable[Answer]]) -> Answer:
        """What `work` returns or raises; of the one that is under way for this key, if there is one."""
        under_way = self._under_way.get(key)
        if under_way is None:
            under_way = self._under_way[key] = asyncio.ensure_future(work())
            under_way.add_done_callback(lambda done: self._over(key, done))
        return await asyncio.shield(under_way)  # who goes away takes nothing from the others

    def _over(self, key: Hashable, done: "asyncio.Future[Answer]") -> None:
        del self._under_way[key]
        if not done.cancelled():
            done.exception()  # looked at, also where everybody who asked has gone away
