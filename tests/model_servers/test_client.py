"""One chat completion of a model server: whatever the server does is an answer, nothing is raised."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from relcontrol.model_servers import client
from relcontrol.model_servers.client import Answer, answer
from tests.releases.replays.answering import Misbehaving, misbehaving

BODY = {"model": "m", "messages": [{"role": "user", "content": "?"}]}


@pytest.fixture(scope="module")
def server() -> Iterator[Misbehaving]:
    with misbehaving() as found:
        yield found


def asked(base_url: str, credential: str = "", seconds: float = 10, **members: Any) -> Answer:
    return asyncio.run(answer(base_url, credential, BODY | members, seconds))


def test_a_completion_is_the_answer_with_its_tokens(server: Misbehaving) -> None:
    found = asked(server.at("good"))
    assert found.output == {"content": "Yes.", "tool_calls": None, "refusal": None, "finish_reason": "stop"}
    assert (found.status, found.error, found.input_tokens, found.output_tokens) == (200, None, 7, 2)
    assert found.latency_ms > 0
    assert found.ttft_ms is None


@pytest.mark.parametrize("behaviour", ["no-usage", "odd-usage"])
def test_tokens_that_nobody_counted_are_unknown(server: Misbehaving, behaviour: str) -> None:
    found = asked(server.at(behaviour))
    assert (found.error, found.input_tokens, found.output_tokens) == (None, None, None)


@pytest.mark.parametrize(
    ("behaviour", "error", "status"),
    [
        ("overloaded", "upstream_5xx", 503),
        ("limited", "upstream_4xx", 429),
        ("elsewhere", "upstream_4xx", 307),
        ("words", "stream_broken", 200),
        ("empty", "stream_broken", 200),
        ("list", "stream_broken", 200),
        ("breaks-off", "stream_broken", None),
        ("closes", "connection_failed", None),
    ],
)
def test_what_goes_wrong_is_said_in_the_words_of_traces(
    server: Misbehaving, behaviour: str, error: str, status: int | None
) -> None:
    found = asked(server.at(behaviour))
    assert (found.output, found.error, found.status) == (None, error, status)


def test_a_server_that_hangs_is_a_time_out(server: Misbehaving) -> None:
    assert asked(server.at("hangs"), seconds=0.2).error == "timeout"


def test_a_port_where_nobody_listens_is_a_failed_connection() -> None:
    assert asked("http://127.0.0.1:9/v1").error == "connection_failed"


def test_an_address_that_is_none_is_an_answer_as_well() -> None:
    assert asked("http://").error is not None


def test_an_answer_without_end_is_cut(server: Misbehaving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "LARGEST_ANSWER", 10)
    assert asked(server.at("good")).error == "stream_broken"


def test_the_secret_goes_to_the_server_and_only_to_it(server: Misbehaving) -> None:
    before = len(server.asked)
    asked(server.at("elsewhere"), "sk-1")
    (path, headers, _), *others = server.asked[before:]
    assert (path, headers["Authorization"]) == ("/elsewhere/chat/completions", "Bearer sk-1")
    assert others == []


def test_without_a_secret_none_is_sent(server: Misbehaving) -> None:
    asked(server.at("good"))
    assert "Authorization" not in server.asked[-1][1]


def test_the_answer_is_asked_for_in_one_piece(server: Misbehaving) -> None:
    asked(server.at("good"), stream=True, stream_options={"include_usage": True})
    assert server.asked[-1][2] == BODY
