"""The peer of `manage.py bench judge`: the same calls from a bare asyncio loop that keeps no books.

It has the same client library, the same number of calls in flight, and the same order: every answer before any score.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import Final

import aiohttp

from relcontrol.bench.judge_calls import Noted

SECONDS: Final = 300.0


def bare_seconds(url: str, phases: Sequence[Sequence[Noted]], concurrency: int) -> float:
    """How long the same calls take, phase by phase."""
    began = time.monotonic()
    asyncio.run(_all(url, phases, concurrency))
    return time.monotonic() - began


async def _all(url: str, phases: Sequence[Sequence[Noted]], concurrency: int) -> None:
    limits = aiohttp.ClientTimeout(total=SECONDS)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=limits) as session:
        for calls in phases:
            bodies = iter([call.body for call in calls])
            await asyncio.gather(*(_some(session, url, bodies) for _ in range(concurrency)))


async def _some(session: aiohttp.ClientSession, url: str, bodies: Iterator[str]) -> None:
    headers = {"Content-Type": "application/json"}
    for body in bodies:
        async with session.post(url, data=body.encode(), headers=headers) as response:
            response.raise_for_status()
            await response.read()
