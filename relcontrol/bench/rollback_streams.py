"""Streams that stay open: `python -m relcontrol.bench.rollback_streams URL COUNT`, the key in the environment.

So many at once, each with a long answer, a new one as soon as one ends; they begin one after the other, so that at any
moment some have just begun. One line says that all have begun. No Django.
"""

import asyncio
import os
import sys
from typing import Any, Final

import aiohttp

from relcontrol.bench.chaos_traffic import KEY_VARIABLE, TOPIC

QUESTION: Final = "May affiliates use the licence? Answer in 2,000 tokens."
RUNNING: Final = "running"
AGAIN_S: Final = 0.2
SPREAD_S: Final = 8.0  # about as long as an answer takes


async def run(url: str, count: int) -> None:
    """Until the process is ended."""
    headers = {"Authorization": f"Bearer {os.environ[KEY_VARIABLE]}"}
    begun = [asyncio.Event() for _ in range(count)]
    async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=0)) as session:
        pauses = [SPREAD_S * place / count for place in range(count)]
        tasks = [asyncio.create_task(_again_and_again(session, url, *each)) for each in zip(begun, pauses, strict=True)]
        await asyncio.gather(*(one.wait() for one in begun))
        sys.stdout.write(f"{RUNNING}\n")
        sys.stdout.flush()
        await asyncio.gather(*tasks)


async def _again_and_again(session: aiohttp.ClientSession, url: str, begun: asyncio.Event, pause: float) -> None:
    await asyncio.sleep(pause)
    while True:
        try:
            async with session.post(url, json=_body()) as answer:
                async for _ in answer.content.iter_any():
                    if answer.ok:
                        begun.set()
        except (aiohttp.ClientError, OSError):
            await asyncio.sleep(AGAIN_S)


def _body() -> dict[str, Any]:
    messages = [{"role": "user", "content": QUESTION}]
    return {"model": "any", "messages": messages, "metadata": {"topic": TOPIC}, "stream": True}


if __name__ == "__main__":
    asyncio.run(run(f"{sys.argv[1]}/v1/chat/completions", int(sys.argv[2])))
