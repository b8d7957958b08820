"""One conversation with a model server: its answer passed to a sink as it comes, and measured.

The sink is the client, or nobody in a shadow. How it ended is told in the words of
`relcontrol.model_servers.outcomes`; an error is that of the release only where the release made it.
"""

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import aiohttp

from relcontrol.model_servers import outcomes
from releases.gateway import failures
from releases.gateway.control.snapshot import EndpointEntry
from releases.gateway.errors import GatewayError
from releases.gateway.outputs import Output
from releases.gateway.streams import ChatStream
from releases.gateway.upstream import Upstream

LARGEST_ANSWER: Final = 64 * 1024 * 1024
TRAILER_SECONDS: Final = 1.0  # for the end of a chunked body after [DONE], so that the connection can be used again
LARGEST_TRAILER: Final = 1024
EVENT_STREAM: Final = "text/event-stream"


class Sink(Protocol):
    """Where an answer goes."""

    started: bool
    waited: float  # seconds spent waiting for the client to take what was sent

    async def begin(self, content_type: str, length: int | None) -> None:
        """Status 200 and the headers."""

    async def send(self, data: bytes) -> None:
        """A piece of the answer."""

    async def finish(self, data: bytes = b"") -> None:
        """The last piece."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is sent where."""

    endpoint: EndpointEntry
    path: str
    payload: bytes
    answers: str  # the member that a good answer has: `choices`, or `data` for embeddings
    stream: bool = False
    hide_usage: bool = False


@dataclass(slots=True)
class Ended:
    """How it went; filled as it goes, so that an exchange that is cut short is known up to there."""

    status: int | None = None
    error: str | None = None
    failure: GatewayError | None = None  # to be answered, where nothing was sent yet
    ttft_ms: float | None = None
    latency_ms: float | None = None
    complete: bool = False  # the sink has it all
    output: Output = field(default_factory=Output)

    def fail(self, failure: GatewayError) -> None:
        """Nothing could be passed on."""
        self.failure, self.error, self.status = failure, failure.outcome, failure.status

    def stop(self, began: float) -> None:
        """The clock stops the first time that this is said."""
        if self.latency_ms is None:
            self.latency_ms = (time.perf_counter() - began) * 1000


async def exchange(upstream: Upstream, question: Question, sink: Sink, ended: Ended, *, seconds: float) -> None:
    """Ask, and pass the answer on, within `seconds`; errors end in `ended`, only a cancellation goes through."""
    began = time.perf_counter()
    try:
        async with asyncio.timeout(seconds):
            await _ask(upstream, question, sink, ended, began)
    except GatewayError as error:
        ended.fail(error)
    except aiohttp.ConnectionTimeoutError:
        ended.fail(failures.unreachable())
    except TimeoutError:
        slow_client = sink.waited > seconds / 2
        _broken(ended, sink, outcomes.CLIENT_GONE if slow_client else outcomes.TIMEOUT, failures.too_late())
    except (aiohttp.ClientError, OSError):
        _broken(ended, sink, outcomes.STREAM_BROKEN, failures.unreachable())
    finally:
        ended.stop(began)


def _broken(ended: Ended, sink: Sink, word: str, failure: GatewayError) -> None:
    if ended.complete:
        return
    if sink.started:
        ended.error = word
    else:
        ended.fail(failure)


async def _ask(upstream: Upstream, question: Question, sink: Sink, ended: Ended, began: float) -> None:
    response = await upstream.post(question.endpoint, question.path, question.payload, stream=question.stream)
    try:
        if response.status != 200:
            raise await failures.failure_of(response, upstream.secret(question.endpoint))
        ended.status = 200
        if question.stream:
            await _pass_stream(response, question, sink, ended, began)
        else:
            await _pass_whole(response, question, sink, ended)
    finally:
        response.release()


async def _pass_whole(response: aiohttp.ClientResponse, question: Question, sink: Sink, ended: Ended) -> None:
    pieces: list[bytes] = []
    size = 0
    async for piece in response.content.iter_any():
        pieces.append(piece)
        size += len(piece)
        if size > LARGEST_ANSWER:
            raise failures.garbage(f"more than {LARGEST_ANSWER:,} bytes")
    body = b"".join(pieces)
    _read_whole(body, question.answers, ended.output)
    await sink.begin("application/json", len(body))
    await sink.finish(body)
    ended.complete = True


def _read_whole(body: bytes, answers: str, output: Output) -> None:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise failures.garbage("no JSON") from None
    entries = document.get(answers) if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise failures.garbage(f"no list of {answers}")
    if answers == "choices":
        _read_choices(entries, output)
    if isinstance(usage := document.get("usage"), dict):
        output.count(usage)


def _read_choices(choices: list[Any], output: Output) -> None:
    for choice in choices:
        message = choice.get("message") if isinstance(choice, dict) else None
        if not isinstance(message, dict):
            raise failures.garbage("a choice without a message")
        if choice.get("index", 0) == 0:
            output.add(message)
            output.finish(choice.get("finish_reason"))


async def _pass_stream(
    response: aiohttp.ClientResponse, question: Question, sink: Sink, ended: Ended, began: float
) -> None:
    if response.content_type != EVENT_STREAM:
        raise failures.garbage(f"no {EVENT_STREAM}")
    stream = ChatStream(hide_usage=question.hide_usage)
    ended.output = stream.output
    async for data in response.content.iter_any():
        shown = stream.feed(data)
        if stream.spoke and ended.ttft_ms is None:
            ended.ttft_ms = (time.perf_counter() - began) * 1000
        await _show(sink, shown)
        if stream.done or stream.broken:
            break
    await _show(sink, stream.close())
    if not sink.started:
        raise failures.garbage("an empty stream")
    if not stream.ended_well:
        ended.error = outcomes.STREAM_BROKEN
        return
    await sink.finish()
    ended.complete = True
    ended.stop(began)
    await _read_trailer(response)


async def _show(sink: Sink, data: bytes) -> None:
    if data:
        if not sink.started:
            await sink.begin(EVENT_STREAM, None)
        await sink.send(data)


async def _read_trailer(response: aiohttp.ClientResponse) -> None:
    """Up to the end of the body, which mostly is there already; a server that leaves it open loses the connection."""
    if response.content.at_eof():
        return
    try:
        async with asyncio.timeout(TRAILER_SECONDS):
            await response.content.read(LARGEST_TRAILER)
    except (TimeoutError, aiohttp.ClientError, OSError):
        return
