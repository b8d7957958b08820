"""Live traffic through the gateway: new users all the time; those whom the candidate answers ask more often.

How often a user asks has nothing to do with how the candidate answers, so the monitors must cope with it. It brings a
checkpoint of 5 % its requests within seconds, while its share of users stays 5 %. So many ask at once, each the next
when it has its answer: a slow machine makes the crowd slower, not its answers worse.
"""

import asyncio
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import aiohttp

from relcontrol.demo.topics import TOPICS
from relcontrol.demo_traffic.questions import Question
from relcontrol.demo_traffic.sending import Users
from relcontrol.demo_traffic.tally import ANSWERED, UNSERVED, Tally
from releases.bucketing import bucket
from releases.rollout_models import Rollout
from tests.acceptance.live.system import System

AT_ONCE = 24
UNSERVED_S = 0.2  # until a user asks again while nothing serves: refusals without end would bury the traces of copies
SLICES = ("ip-licensing", "contract-drafting")
ASKED = tuple(topic for topic in TOPICS if topic.slug in SLICES)
STREAMED = 0.9  # of a checkpoint's 250 requests more than the 200 that the monitor of first tokens needs


@dataclass
class Crowd:
    """What is asked at present; `long` is the share of questions that want more than 2,400 tokens."""

    salt: str = ""
    basis_points: int = 0
    talkative: int = 1
    long: float = 0.0
    tally: Tally = field(default_factory=Tally)

    @property
    def answered(self) -> int:
        """How many requests have been answered so far."""
        return self.tally.outcomes[ANSWERED]

    def watch(self, row: Rollout, *, percent: int, talkative: int, long: float = 0.0) -> None:
        """From now on users of the candidate at this share ask so many times."""
        self.salt, self.basis_points, self.talkative, self.long = row.pk, percent * 100, talkative, long

    def candidate_users(self, count: int) -> list[str]:
        """Users of the share that is watched."""
        found = (name for name in (f"user-{number}" for number in range(1_000_000)) if self._is_candidate(name))
        return [next(found) for _ in range(count)]

    def questions(self) -> Iterator[Question]:
        drawn, number = random.Random(7), 0  # noqa: S311 - no secret
        while True:
            number += 1
            subject = f"user-{number}"
            for _ in range(self.talkative if self._is_candidate(subject) else 1):
                yield self._question(subject, drawn)

    def _is_candidate(self, subject: str) -> bool:
        return bucket(self.salt, subject) < self.basis_points

    def _question(self, subject: str, drawn: random.Random) -> Question:
        topic = drawn.choice(ASKED)
        asked = topic.question.format(matter=drawn.choice(topic.matters), party=drawn.choice(topic.parties))
        tokens = drawn.randrange(2_450, 2_700) if drawn.random() < self.long else drawn.randrange(50, 150)
        streamed = drawn.random() < STREAMED
        return Question(subject, topic.slug, f"{asked} Answer in about {tokens} tokens.", streamed)


@contextmanager
def asking(system: System) -> Iterator[Crowd]:
    """The crowd, as long as the block."""
    crowd, loop = Crowd(), asyncio.new_event_loop()
    ended = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(_ask(system, crowd, ended),))
    thread.start()
    try:
        yield crowd
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(60)
        loop.close()


async def _ask(system: System, crowd: Crowd, ended: asyncio.Event) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        users = Users(session, system.gateway, system.key)
        users.tally = crowd.tally
        questions = crowd.questions()
        asking = [asyncio.create_task(_ask_on(users, questions)) for _ in range(AT_ONCE)]
        await ended.wait()
        for each in asking:
            each.cancel()
        await asyncio.gather(*asking, return_exceptions=True)


async def _ask_on(users: Users, questions: Iterator[Question]) -> None:
    for question in questions:
        refused = users.tally.outcomes[UNSERVED]
        await users.ask(question)
        if users.tally.outcomes[UNSERVED] > refused:
            await asyncio.sleep(UNSERVED_S)
