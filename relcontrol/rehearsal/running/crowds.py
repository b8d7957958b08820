"""The users of a rehearsal: on each application so many at once, each the next question when it has its answer.

Users of a share that is rolled out to ask more often than others; how often a user asks has nothing to do with how the
candidate answers, and the monitors must cope with it.
"""

import asyncio
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from relcontrol.demo_traffic.questions import Question
from relcontrol.demo_traffic.sending import Users
from relcontrol.demo_traffic.tally import UNSERVED
from relcontrol.rehearsal.world import Crowd
from releases.bucketing import bucket

STREAMED: Final = 0.9  # of 250 requests more than the 200 that the monitor of first tokens needs; none of long ones
LONG: Final = (2_450, 2_600)  # tokens
UNSERVED_S: Final = 0.2  # until a user asks again while nothing serves
LOOK_S: Final = 0.1
STOP_S: Final = 30.0


@dataclass
class Asking:
    """What is asked of one application at present; None is nothing."""

    key: str
    crowd: Crowd | None = None
    numbers: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311 - no secret
    asked: int = 0

    def questions(self) -> Iterator[Question]:
        """The questions of the next user; none while nobody asks."""
        crowd = self.crowd
        if crowd is None:
            return
        self.asked += 1
        subject = f"user-{self.asked}"
        often = bool(crowd.rollout) and bucket(crowd.rollout, subject) < crowd.percent * 100
        for _ in range(crowd.times if often else 1):
            yield self._question(crowd, subject)

    def _question(self, crowd: Crowd, subject: str) -> Question:
        drawn = self.numbers
        long = drawn.random() < crowd.long
        tokens = drawn.randrange(*LONG) if long else drawn.randrange(crowd.tokens, 2 * crowd.tokens)
        text = f"May affiliates use the licence in matter {self.asked}? Answer in about {tokens} tokens."
        return Question(subject, crowd.metadata["topic"], text, not long and drawn.random() < STREAMED)


class Crowds:
    """Everybody who asks, in a thread of their own."""

    def __init__(self, gateway: str) -> None:
        self._gateway = gateway
        self._asking: list[Asking] = []
        self._ended = threading.Event()

    def on(self, key: str) -> Asking:
        """Users of the application with this key; they ask as soon as they are told how."""
        made = Asking(key)
        self._asking.append(made)
        return made

    def run(self) -> None:
        """Ask until it is over."""
        asyncio.run(self._run())

    def end(self) -> None:
        """Nobody asks any more."""
        self._ended.set()

    async def _run(self) -> None:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            open_tasks: dict[int, list[asyncio.Task[None]]] = {}
            while not self._ended.is_set():
                for place, asking in enumerate(self._asking):
                    tasks = open_tasks.setdefault(place, [])
                    tasks[:] = [task for task in tasks if not task.done()]
                    wanted = asking.crowd.at_once if asking.crowd else 0
                    users = Users(session, self._gateway, asking.key)
                    tasks += [asyncio.create_task(_one(users, asking)) for _ in range(wanted - len(tasks))]
                await asyncio.sleep(LOOK_S)
            left = [task for tasks in open_tasks.values() for task in tasks]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)


async def _one(users: Users, asking: Asking) -> None:
    """One user: all her questions, one after the other."""
    for question in asking.questions():
        await users.ask(question)
        if users.tally.outcomes[UNSERVED]:
            await asyncio.sleep(UNSERVED_S)
            return


@contextmanager
def crowds(gateway: str) -> Iterator[Crowds]:
    """Users of a gateway, until the end of the block."""
    made = Crowds(gateway)
    thread = threading.Thread(target=made.run, name="rehearsal users")
    thread.start()
    try:
        yield made
    finally:
        made.end()
        thread.join(STOP_S)
