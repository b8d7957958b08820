"""Which generation each watched organization is at, and who waits to hear of the next one. On the event loop only.

What is known comes from one reader, so positions are published in the order in which they were read.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final

Position = tuple[int, int]

FRESH_SECONDS: Final = 2.5
ASKED_SECONDS: Final = 60.0


class Watch:
    """One stream's view of its organization."""

    def __init__(self, position: Callable[[], Position | None]) -> None:
        self._position = position
        self._told: Position | None = None
        self._wake = asyncio.Event()
        self.ended = False

    async def next(self, seconds: float) -> Position | None:
        """The position where it is another one than the last; None after so many seconds, or at the end."""
        if (news := self._news()) is not None or self.ended:
            return news
        self._wake.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        return self._news()

    def wake(self) -> None:
        """Look again."""
        self._wake.set()

    def end(self) -> None:
        """No more after this."""
        self.ended = True
        self.wake()

    def _news(self) -> Position | None:
        position = self._position()
        if self.ended or position is None or position == self._told:
            return None
        self._told = position
        return position


class Generations:
    """Positions (epoch, generation) by organization."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[str, tuple[Position, float]] = {}
        self._watches: dict[str, set[Watch]] = {}
        self._asked: dict[str, float] = {}
        self._ended = False

    @property
    def watching(self) -> int:
        """How many streams there are."""
        return sum(map(len, self._watches.values()))

    def interesting(self) -> list[str]:
        """Organizations that are watched, or were asked for in the last minute."""
        since = self._clock() - ASKED_SECONDS
        self._asked = {organization: at for organization, at in self._asked.items() if at > since}
        wanted = sorted({*self._watches, *self._asked})
        self._known = {organization: known for organization, known in self._known.items() if organization in wanted}
        return wanted

    def fresh(self, organization: str) -> Position | None:
        """The position, if it was read just now; asking makes the organization interesting."""
        self._asked[organization] = self._clock()
        position, read_at = self._known.get(organization, (None, float("-inf")))
        return position if self._clock() - read_at <= FRESH_SECONDS else None

    def publish(self, positions: Mapping[str, Position], read_at: float) -> None:
        """What was read of the database, begun at this reading of the clock: wake whom it is news for."""
        for organization, position in positions.items():
            before = self._known.get(organization, (None, 0.0))[0]
            self._known[organization] = position, read_at
            if position != before:
                self._wake(organization)

    @contextmanager
    def watch(self, organization: str) -> Iterator[Watch]:
        """Hear of every change of an organization."""
        watch = Watch(lambda: self._known.get(organization, (None, 0.0))[0])
        self._watches.setdefault(organization, set()).add(watch)
        if self._ended:
            watch.end()
        try:
            yield watch
        finally:
            self._watches[organization].discard(watch)
            if not self._watches[organization]:
                del self._watches[organization]

    def end(self) -> None:
        """End all streams, and those that come later."""
        self._ended = True
        for watches in self._watches.values():
            for watch in watches:
                watch.end()

    def _wake(self, organization: str) -> None:
        for watch in self._watches.get(organization, ()):
            watch.wake()
