"""The client and the model server of the gateway bench speak HTTP that means what it says."""

import asyncio
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from relcontrol.bench.gate_processes import HOST, free_port
from relcontrol.bench.gateway_load import ASKED, Client, Plan, Seen, is_whole, request_of
from relcontrol.bench.gateway_processes import model_server
from relcontrol.bench.gateway_upstream import CHUNKS, PAUSE_S


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A model server that answers there."""
    free = free_port()
    with model_server(free):
        yield free


def seen(port: int, **plan: Any) -> Seen:
    """Carry out a plan."""
    return asyncio.run(Client(Plan(port=port, key="none", **plan)).run())


def test_an_answer_is_whole_when_its_length_is_there() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"

    assert not is_whole(head[:-2])
    assert not is_whole(head + b"four")
    assert is_whole(head + b"fives")


def test_a_stream_is_whole_with_its_last_chunk() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    assert not is_whole(head + b"5\r\ndata:\r\n")
    assert is_whole(head + b"5\r\ndata:\r\n0\r\n\r\n")


def test_a_request_is_a_chat_of_the_plan() -> None:
    head, _, body = request_of(Plan(port=1, key="rck_1.x", stream=True)).partition(b"\r\n\r\n")

    assert b"authorization: Bearer rck_1.x" in head
    assert f"content-length: {len(body)}".encode() in head
    assert json.loads(body)["stream"] is True
    assert ASKED in json.loads(body)["messages"][0]["content"]


def test_the_open_loop_sends_each_request_at_its_time(port: int) -> None:
    found = seen(port, rate=100, requests=11, connections=2)

    assert (len(found.whole), found.failed) == (11, 0)
    assert found.seconds >= 0.1
    assert found.first == []


def test_the_closed_loop_asks_again_until_its_time_is_over(port: int) -> None:
    found = seen(port, connections=3, seconds=0.2)

    assert len(found.whole) > 3
    assert found.failed == 0


def test_a_stream_is_seen_at_its_first_chunk_and_at_its_end(port: int) -> None:
    found = seen(port, rate=100, requests=2, connections=2, stream=True)

    assert len(found.first) == len(found.whole) == 2
    assert all(w - f > 0.9 * PAUSE_S * (CHUNKS - 1) / 2 for f, w in zip(found.first, found.whole, strict=True))


def test_an_answer_that_is_no_200_is_a_failure(refusing: int) -> None:
    found = seen(refusing, rate=100, requests=3, connections=1)

    assert (found.whole, found.failed) == ([], 3)


@pytest.fixture
def refusing() -> Iterator[int]:
    """A server that answers no POST."""
    server = ThreadingHTTPServer((HOST, 0), BaseHTTPRequestHandler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()
