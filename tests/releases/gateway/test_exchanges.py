"""Exchanges with a model server that takes its time, and clients that take theirs."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Self

import pytest

from releases.gateway.control.snapshot import EndpointEntry
from releases.gateway.errors import GatewayError
from releases.gateway.exchanges import Ended, Question, exchange
from releases.gateway.failures import failure_of
from releases.gateway.sinks import NoSink
from releases.gateway.upstream import CREDENTIAL_SECONDS, Upstream

ENDPOINT = EndpointEntry("main", "http://127.0.0.1:9/v1", "openai", "main-key")
QUESTION = Question(ENDPOINT, "/chat/completions", b"{}", "choices", stream=True)


class Hanging:
    """A model server that never answers."""

    async def post(self, *given: Any, **options: Any) -> None:
        await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("started", "waited", "word", "answered"),
    [
        (False, 0.0, "timeout", True),
        (True, 0.0, "timeout", False),
        (True, 60.0, "client_gone", False),  # it was the client that did not read
    ],
)
def test_only_a_model_servers_own_slowness_is_a_time_out(
    started: bool, waited: float, word: str, answered: bool
) -> None:
    ended, sink = Ended(), NoSink()
    sink.started, sink.waited = started, waited
    asyncio.run(exchange(Hanging(), QUESTION, sink, ended, seconds=0.02))  # type: ignore[arg-type]  # a stand-in
    assert ended.error == word
    assert (ended.failure is not None) is answered
    assert ended.latency_ms is not None


def test_what_takes_long_after_a_whole_answer_is_no_error() -> None:
    ended, sink = Ended(status=200, complete=True), NoSink()
    sink.started = True
    asyncio.run(exchange(Hanging(), QUESTION, sink, ended, seconds=0.02))  # type: ignore[arg-type]  # a stand-in
    assert ended.error is None


def test_a_rotated_credential_is_taken_up_after_some_seconds() -> None:
    secrets, clock = ["old", "new"], [100.0]

    async def seen() -> list[str]:
        upstream = Upstream(read=lambda name: secrets.pop(0), clock=lambda: clock[0])
        values = [upstream.secret(ENDPOINT), upstream.secret(ENDPOINT)]
        clock[0] += CREDENTIAL_SECONDS
        values.append(upstream.secret(ENDPOINT))
        await upstream.close()
        return values

    assert asyncio.run(seen()) == ["old", "old", "new"]


def test_an_unreadable_credential_is_a_502_that_does_not_name_it() -> None:
    def broken(name: str) -> str:
        raise OSError("/etc/secrets/main-key")

    async def asked() -> None:
        upstream = Upstream(read=broken)
        try:
            upstream.secret(ENDPOINT)
        finally:
            await upstream.close()

    with pytest.raises(GatewayError) as refused:
        asyncio.run(asked())
    assert refused.value.status == 502
    assert "main-key" not in refused.value.message


class Failed:
    """An answer that is none, with its body as one piece."""

    def __init__(self, body: bytes, **headers: str) -> None:
        self.status, self.headers, self._body = (
            429,
            {name.replace("_", "-"): said for name, said in headers.items()},
            body,
        )

    @property
    def content(self) -> Self:
        return self

    async def iter_any(self) -> AsyncIterator[bytes]:
        yield self._body


def failure(body: bytes, **headers: str) -> GatewayError:
    return asyncio.run(failure_of(Failed(body, **headers), "sk-1"))  # type: ignore[arg-type]  # a stand-in


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": {"message": "too long", "code": 400}}', "too long"),
        (b'{"error": "model not found"}', "model not found"),  # Ollama
        (b'{"object": "error", "message": "too long", "type": "BadRequestError", "code": 400}', "too long"),  # vLLM
        (b'[{"error": {"message": "too long", "status": "INVALID_ARGUMENT"}}]', "too long"),  # Gemini
        (b'{"detail": "no chat model"}', "no chat model"),  # FastAPI
        (b'{"detail": [{"loc": ["body", 0], "msg": "missing", "input": "our prompt"}]}', "missing (body.0)"),
        (b'{"detail": [{"loc": 7, "msg": "missing"}, 7]}', "missing (7)"),
        (b'{"detail": {"a": 1}}', "The model server answered with status 429."),
        (b"[]", "The model server answered with status 429."),
        (b"<html>", "The model server answered with status 429."),
    ],
)
def test_what_a_model_server_says_is_told_in_whatever_shape_it_says_it(body: bytes, said: str) -> None:
    assert failure(body).message == said


def test_clients_are_told_when_to_come_back_and_no_other_header() -> None:
    told = failure(b"", retry_after="7", retry_after_ms="7100", x_internal="gpu-7")
    assert told.headers == {"retry-after": "7", "retry-after-ms": "7100"}
    assert failure(b"", retry_after="Wed, 21 Oct 2026 07:28:00 GMT").headers
    assert failure(b"", retry_after="7\u00e9", retry_after_ms="x" * 65).headers == {}
