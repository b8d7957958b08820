"""One chat completion of a model server: for replays and for probes, not for clients' requests (gateway.md).

Whatever the server does is an `Answer`, in the words of traces for errors; nothing that it does is raised. The answer
is asked for in one piece, so there is no time to the first token.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from releases.traces import outcomes

PATH: Final = "/chat/completions"
LARGEST_ANSWER: Final = 8 * 1024 * 1024
CONNECT_SECONDS: Final = 5.0
# How a server is asked for its answer is the caller's business, not the recorded client's.
STREAMING: Final = ("stream", "stream_options")
OF_A_MESSAGE: Final = ("content", "tool_calls", "refusal")

Output = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `output` is there where a chat completion came; `error` is None or a word of traces."""

    output: Output | None
    status: int | None
    error: str | None
    ttft_ms: float | None
    latency_ms: float
    input_tokens: int | None = None
    output_tokens: int | None = None


async def answer(
    base_url: str,
    credential: str,
    body: Mapping[str, Any],
    timeout: float,
    *,
    session: aiohttp.ClientSession | None = None,
) -> Answer:
    """Ask for one chat completion and wait for all of it, at most `timeout` seconds. `session` keeps connections."""
    began = time.monotonic()
    try:
        if session is not None:
            status, content = await _posted(session, base_url, credential, body, timeout)
        else:
            async with aiohttp.ClientSession() as own:
                status, content = await _posted(own, base_url, credential, body, timeout)
    except TimeoutError:
        return _failed(outcomes.TIMEOUT, began)
    except (aiohttp.ClientConnectionError, OSError):
        return _failed(outcomes.CONNECTION_FAILED, began)
    except (aiohttp.ClientError, ValueError):
        return _failed(outcomes.STREAM_BROKEN, began)
    return _read(status, content, began)


async def _posted(
    session: aiohttp.ClientSession, base_url: str, credential: str, body: Mapping[str, Any], seconds: float
) -> tuple[int, bytes]:
    headers = {"Authorization": f"Bearer {credential}"} if credential else {}
    asked = {key: value for key, value in body.items() if key not in STREAMING}
    limits = aiohttp.ClientTimeout(total=seconds, sock_connect=min(CONNECT_SECONDS, seconds))
    url = base_url.rstrip("/") + PATH
    async with session.post(url, json=asked, headers=headers, timeout=limits, allow_redirects=False) as response:
        content = bytearray()
        async for piece in response.content.iter_any():
            content += piece
            if len(content) > LARGEST_ANSWER:
                raise ValueError("the answer is longer than any that is kept")
        return response.status, bytes(content)


def _read(status: int, content: bytes, began: float) -> Answer:
    if status != 200:
        return _failed(outcomes.outcome_of(status), began, status)
    try:
        document = json.loads(content)
        choice = document["choices"][0]
        message = choice["message"]
        output = {name: message.get(name) for name in OF_A_MESSAGE} | {"finish_reason": choice.get("finish_reason")}
        usage = document.get("usage") or {}
        tokens = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return _failed(outcomes.STREAM_BROKEN, began, status)  # it said 200 and sent no completion
    return Answer(output, status, None, None, _since(began), *tokens)


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _failed(error: str, began: float, status: int | None = None) -> Answer:
    return Answer(None, status, error, None, _since(began))


def _since(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 3)
