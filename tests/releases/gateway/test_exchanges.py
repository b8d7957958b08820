"""Exchanges with a model server that takes its time, and clients that take theirs."""

import asyncio
from typing import Any

import pytest

from releases.gateway.control.snapshot import EndpointEntry
from releases.gateway.errors import GatewayError
from releases.gateway.exchanges import Ended, Question, exchange
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
