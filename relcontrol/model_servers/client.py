"""One chat completion of a model server: for replays and for probes, not for clients' requests (gateway.md).

Whatever the server does is an `Answer`, in the words of traces for errors; nothing that it does is raised. The answer
is asked for in one piece, so there is no time to the first token.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import aiohttp

from relcontrol.model_servers import outcomes

PATH: Final = "/chat/completions"
LARGEST_ANSWER: Final = 8 * 1024 * 1024
CONNECT_SECONDS: Final = 5.0
# How a server is asked for its answer is the caller's business, not the recorded client's.
STREAMING: Final = ("stream", "stream_options")
OF_A_MESSAGE: Final = ("content", "tool_calls", "refusal")
ATTEMPT_HEADER: Final = "X-Relcontrol-Attempt"
LONGEST_NAME: Final = 300

Output = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `output` is there where a chat completion came; `error` is None or a word of traces.

    `model` is what the server says answered, `retry_after_s` how long it asks to be left alone. `attempts` are those
    that it took; `billed_before` the tokens, read and written, of attempts before the last one.
    """

    output: Output | None
    status: int | None
    error: str | None
    ttft_ms: float | None
    latency_ms: float
    input_tokens: int | None = None
    output_tokens: int | None = None
    model: str | None = None
    retry_after_s: float | None = None
    attempts: int = 1
    billed_before: tuple[int, int] = (0, 0)

    @property
    def billed(self) -> tuple[int, int]:
        """The tokens, read and written, of all attempts, as far as the server told."""
        read, written = self.billed_before
        return read + (self.input_tokens or 0), written + (self.output_tokens or 0)


@dataclass(frozen=True, slots=True)
class _Response:
    status: int
    headers: Mapping[str, str]
    content: bytes


async def answer(
    base_url: str,
    credential: str,
    body: Mapping[str, Any],
    timeout: float,
    *,
    session: aiohttp.ClientSession | None = None,
    attempt: int = 1,
) -> Answer:
    """Ask for one chat completion and wait for all of it, at most `timeout` seconds. `session` keeps connections."""
    began = time.monotonic()
    headers = {"Authorization": f"Bearer {credential}"} if credential else {}
    if attempt > 1:
        headers[ATTEMPT_HEADER] = str(attempt)
    try:
        if session is not None:
            response = await _posted(session, base_url, headers, body, timeout)
        else:
            async with aiohttp.ClientSession() as own:
                response = await _posted(own, base_url, headers, body, timeout)
    except TimeoutError:
        return _failed(outcomes.TIMEOUT, began)
    except (aiohttp.ClientConnectionError, OSError):
        return _failed(outcomes.CONNECTION_FAILED, began)
    except (aiohttp.ClientError, ValueError):
        return _failed(outcomes.STREAM_BROKEN, began)
    return _read(response, began)


async def _posted(
    session: aiohttp.ClientSession, base_url: str, headers: Mapping[str, str], body: Mapping[str, Any], seconds: float
) -> _Response:
    asked = {key: value for key, value in body.items() if key not in STREAMING}
    limits = aiohttp.ClientTimeout(total=seconds, sock_connect=min(CONNECT_SECONDS, seconds))
    url = base_url.rstrip("/") + PATH
    async with session.post(url, json=asked, headers=headers, timeout=limits, allow_redirects=False) as response:
        content = bytearray()
        async for piece in response.content.iter_any():
            content += piece
            if len(content) > LARGEST_ANSWER:
                raise ValueError("the answer is longer than any that is kept")
        return _Response(response.status, response.headers, bytes(content))


def _read(response: _Response, began: float) -> Answer:
    if response.status != 200:
        wait = seconds_to_wait(response.headers.get("Retry-After", ""), datetime.now(UTC))
        return _failed(outcomes.outcome_of(response.status), began, response.status, retry_after_s=wait)
    document = _document(response.content)
    usage = document.get("usage")
    known = usage if isinstance(usage, dict) else {}
    tokens = _count(known.get("prompt_tokens")), _count(known.get("completion_tokens"))
    output = _output(document)
    error = None if output is not None else outcomes.STREAM_BROKEN  # it said 200 and sent no completion
    return Answer(output, 200, error, None, _since(began), *tokens, model=_name(document.get("model")))


def _document(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _output(document: Mapping[str, Any]) -> Output | None:
    try:
        choice = document["choices"][0]
        message = choice["message"]
        return {name: message.get(name) for name in OF_A_MESSAGE} | {"finish_reason": choice.get("finish_reason")}
    except (LookupError, TypeError, AttributeError):
        return None


def _name(value: object) -> str | None:
    return value[:LONGEST_NAME] if isinstance(value, str) else None


def seconds_to_wait(text: str, at: datetime) -> float | None:
    """What a Retry-After header says: seconds, or a date; None where it says nothing that can be read."""
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    try:
        wanted = parsedate_to_datetime(text)
    except ValueError:
        return None
    wanted = wanted if wanted.tzinfo else wanted.replace(tzinfo=UTC)
    return max(0.0, (wanted - at).total_seconds())


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _failed(error: str, began: float, status: int | None = None, *, retry_after_s: float | None = None) -> Answer:
    return Answer(None, status, error, None, _since(began), retry_after_s=retry_after_s)


def _since(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 3)
