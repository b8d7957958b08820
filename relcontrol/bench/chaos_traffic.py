"""The clients of the chaos bench: `python -m relcontrol.bench.chaos_traffic URL RATE FILE FIRST`. No Django.

The application key is in an environment variable. Requests begin at their rate, as long as not too many wait for an
answer: what a machine cannot do must not look like damage. Half of them are streamed; each has an id and a number of
its own, from FIRST on. What became of each is a line of JSON in FILE. SIGTERM ends it once all are answered.
"""

import asyncio
import json
import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final, TextIO

import aiohttp

KEY_VARIABLE: Final = "RELCONTROL_CHAOS_KEY"
TOPIC: Final = "licences"
SUBJECTS: Final = 400
MOST_AT_ONCE: Final = 64
ANSWER_S: Final = 30.0
OK: Final = 200


@dataclass(slots=True)
class Outcome:
    """What a client saw of one request. `problem` is empty where the answer came whole, with status 200."""

    number: int
    began: float
    ended: float = 0.0
    status: int = 0
    release: str = ""
    problem: str = "not answered"

    @property
    def request_id(self) -> str:
        """The id that was sent, and that its trace has."""
        return request_id(self.number)

    @property
    def answered(self) -> bool:
        """A release answered, well or not, and the answer arrived whole."""
        return bool(self.status and self.release) and self.problem in {"", "status"}


def request_id(number: int) -> str:
    """The id of a request by its number."""
    return f"chaos-{number}"


def read_outcomes(file: Path) -> list[Outcome]:
    """The lines that are complete."""
    lines = file.read_text().split("\n")[:-1] if file.exists() else []
    return [Outcome(**json.loads(line)) for line in lines]


class Traffic:
    """Requests to one gateway."""

    def __init__(self, session: aiohttp.ClientSession, url: str, said: TextIO) -> None:
        self._session, self._url, self._said = session, url, said
        self._running: set[asyncio.Task[None]] = set()

    async def flow(self, rate: float, first: int, ending: asyncio.Event) -> None:
        """Begin `rate` requests a second until the end, then let all of them be answered."""
        began = time.monotonic()
        for place in count():
            with suppress(TimeoutError):
                await asyncio.wait_for(ending.wait(), max(1e-6, began + place / rate - time.monotonic()))
            if ending.is_set():
                break
            if len(self._running) < MOST_AT_ONCE:
                task = asyncio.create_task(self._one(first + place))
                self._running.add(task)
                task.add_done_callback(self._running.discard)
        await asyncio.gather(*self._running)

    async def _one(self, number: int) -> None:
        outcome = Outcome(number, time.time())
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._ask(outcome)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            outcome.problem = type(error).__name__
        outcome.ended = time.time()
        self._said.write(json.dumps(asdict(outcome)) + "\n")
        self._said.flush()

    async def _ask(self, outcome: Outcome) -> None:
        stream = outcome.number % 2 == 0
        headers = {
            "x-request-id": outcome.request_id,
            "x-relcontrol-subject": f"user-{outcome.number * 7919 % SUBJECTS}",
        }
        async with self._session.post(self._url, json=_body(outcome.number, stream=stream), headers=headers) as answer:
            outcome.status, outcome.release = answer.status, answer.headers.get("x-relcontrol-release", "")
            body = await answer.read()
        if outcome.status != OK:
            outcome.problem = "status"
        elif stream and not body.rstrip().endswith(b"data: [DONE]"):
            outcome.problem = "cut off"
        else:
            outcome.problem = "" if stream or json.loads(body)["choices"] else "no answer in it"


def _body(number: int, *, stream: bool) -> dict[str, Any]:
    said = f"Question {number}: may affiliates use the licence?"
    body = {"model": "any", "messages": [{"role": "user", "content": said}], "metadata": {"topic": TOPIC}}
    return {**body, "stream": True} if stream else body


async def run(url: str, rate: float, file: Path, first: int) -> None:
    """Until SIGTERM."""
    ending = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    headers = {"Authorization": f"Bearer {os.environ[KEY_VARIABLE]}"}
    with file.open("a") as said:
        async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=0)) as session:
            await Traffic(session, f"{url}/v1/chat/completions", said).flow(rate, first, ending)


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], float(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])))
