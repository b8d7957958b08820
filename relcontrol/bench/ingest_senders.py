"""Senders of traces in a process of their own, for `manage.py bench ingest`: ready bodies, one after the other.

`python -m relcontrol.bench.ingest_senders PLAN` sends the files of a folder over so many connections at once, and says
how long that took and what was taken. A refusal with 429 or 503 is sent again, as gateways do.
"""

import asyncio
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import aiohttp
import uvloop

BUSY: Final = (429, 503)
PAUSE_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send where, and how it is told."""

    url: str
    headers: Mapping[str, str]
    folder: str
    connections: int


@dataclass(slots=True)
class Sent:
    """Seconds from the first request to the last answer; batches that were refused as too many, and in the end."""

    seconds: float = 0.0
    again: int = 0
    refused: int = 0


async def send(plan: Plan) -> Sent:
    """Send everything."""
    bodies = [file.read_bytes() for file in sorted(Path(plan.folder).iterdir())]
    sent = Sent()
    connector = aiohttp.TCPConnector(limit=plan.connections)
    async with aiohttp.ClientSession(headers=dict(plan.headers), connector=connector) as session:
        began = time.perf_counter()
        await asyncio.gather(*(_send_each(session, plan.url, bodies, sent) for _ in range(plan.connections)))
        sent.seconds = time.perf_counter() - began
    return sent


async def _send_each(session: aiohttp.ClientSession, url: str, bodies: list[bytes], sent: Sent) -> None:
    while bodies:
        body = bodies.pop()
        while (status := await _status(session, url, body)) in BUSY:
            sent.again += 1
            await asyncio.sleep(PAUSE_SECONDS)
        sent.refused += status != 200


async def _status(session: aiohttp.ClientSession, url: str, body: bytes) -> int:
    async with session.post(url, data=body) as answer:
        await answer.read()
        return answer.status


if __name__ == "__main__":
    json.dump(asdict(uvloop.run(send(Plan(**json.loads(sys.argv[1]))))), sys.stdout)
