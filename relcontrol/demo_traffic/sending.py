"""The demo's users: requests at random moments at a steady rate, whether or not earlier ones were answered yet.

A gateway that is away is asked again a second later, for as long as it takes.
"""

import asyncio
import random
from collections.abc import Callable, Iterator
from typing import Final

import aiohttp

from relcontrol.demo_traffic import tally
from relcontrol.demo_traffic.questions import Question
from relcontrol.demo_traffic.tally import Tally

MOST_OPEN: Final = 400
PATIENCE_S: Final = 120.0
AWAY_S: Final = 1.0
LATE_S: Final = 1.0  # what could not be sent for so long is left out: there is no burst afterwards
LINE_EVERY_S: Final = 60.0
OK, UNAVAILABLE = 200, 503

Write = Callable[[str], None]


class Users:
    """Everybody who asks, over one pool of connections."""

    def __init__(self, session: aiohttp.ClientSession, gateway: str, key: str) -> None:
        self.tally = Tally()
        self._session, self._url = session, f"{gateway.rstrip('/')}/v1/chat/completions"
        self._headers = {"Authorization": f"Bearer {key}"}
        self._open: set[asyncio.Task[None]] = set()
        self._away_until = 0.0

    async def run(self, asked: Iterator[Question], rate: float, seed: int) -> None:
        """Ask until cancelled."""
        loop, gaps = asyncio.get_running_loop(), random.Random(seed)  # noqa: S311 - no secret
        at = loop.time()
        for question in asked:
            at = max(at + gaps.expovariate(rate), loop.time() - LATE_S)
            await asyncio.sleep(max(0.0, at - loop.time()))
            self._begin(question, loop.time())

    async def end(self) -> None:
        """Hang up on everything that is open."""
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def _begin(self, question: Question, now: float) -> None:
        if now < self._away_until:
            self.tally.add(tally.UNREACHED)
        elif len(self._open) >= MOST_OPEN:
            self.tally.add(tally.HELD_BACK)
        else:
            task = asyncio.create_task(self.ask(question))
            self._open.add(task)
            task.add_done_callback(self._open.discard)

    async def ask(self, question: Question) -> None:
        """One request, its answer read to the end and counted."""
        release = ""
        try:
            headers = {**self._headers, "x-relcontrol-subject": question.subject}
            async with self._session.post(self._url, json=question.body(), headers=headers) as answer:
                release = answer.headers.get("x-relcontrol-release", "")
                async for _ in answer.content.iter_any():
                    pass  # as it comes, and to its end
                self.tally.add(_outcome(answer.status), release)
        except aiohttp.ClientConnectorError:
            self._away_until = asyncio.get_running_loop().time() + AWAY_S
            self.tally.add(tally.UNREACHED)
        except (aiohttp.ClientError, TimeoutError, OSError):
            self.tally.add(tally.BROKEN, release)


def _outcome(status: int) -> str:
    if status == OK:
        return tally.ANSWERED
    return tally.UNSERVED if status == UNAVAILABLE else tally.FAILED


async def send(*, gateway: str, key: str, asked: Iterator[Question], rate: float, seed: int, write: Write) -> None:
    """Traffic without end, and a line a minute."""
    limits = aiohttp.ClientTimeout(total=PATIENCE_S)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=limits) as session:
        users = Users(session, gateway, key)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(users.run(asked, rate, seed))
                group.create_task(_report(users.tally, write))
        finally:
            await users.end()


async def _report(counted: Tally, write: Write) -> None:
    while True:
        await asyncio.sleep(LINE_EVERY_S)
        write(counted.line(LINE_EVERY_S))
