"""Sending: every outcome is counted, a gateway that is away is no reason to end, and lines say counts only."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import repeat

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from relcontrol.demo_traffic import sending, tally
from relcontrol.demo_traffic.questions import Question
from relcontrol.demo_traffic.sending import Users
from relcontrol.demo_traffic.tally import Tally

QUESTION = Question("user-1", "ip-licensing", "May affiliates use it?", streamed=False)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def served(request: web.Request) -> web.StreamResponse:
    assert request.headers["authorization"] == "Bearer rck_key"
    assert request.headers["x-relcontrol-subject"] == "user-1"
    return web.json_response({"choices": []}, headers={"x-relcontrol-release": "3f9ac41b22e0"})


async def without_release(request: web.Request) -> web.StreamResponse:
    return web.json_response({"error": {}}, status=503)


async def refused(request: web.Request) -> web.StreamResponse:
    return web.json_response({"error": {}}, status=504)


async def cut_off(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"content-length": "100"})
    await answer.prepare(request)
    await answer.write(b"half")
    assert request.transport is not None
    request.transport.close()
    return answer


async def asked_of(handler: Handler) -> Tally:
    """One question to a server with this handler."""
    app = web.Application()
    app.router.add_post("/v1/chat/completions", handler)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        users = Users(session, str(server.make_url("/")), "rck_key")
        await users.ask(QUESTION)
        return users.tally


@pytest.mark.parametrize(
    ("handler", "outcome"),
    [
        (served, tally.ANSWERED),
        (without_release, tally.UNSERVED),
        (refused, tally.FAILED),
        (cut_off, tally.BROKEN),
    ],
)
def test_every_outcome_is_counted_by_its_name(handler: Handler, outcome: str) -> None:
    assert asyncio.run(asked_of(handler)).outcomes == {outcome: 1}


async def away_and_back() -> Tally:
    port, asked = unused_port(), repeat(QUESTION)
    async with aiohttp.ClientSession() as session:
        users = Users(session, f"http://127.0.0.1:{port}", "rck_key")
        running = asyncio.create_task(users.run(asked, 500.0, 0))
        await _until(lambda: users.tally.outcomes[tally.UNREACHED])
        app = web.Application()
        app.router.add_post("/v1/chat/completions", served)
        async with TestServer(app, port=port):
            await _until(lambda: users.tally.outcomes[tally.ANSWERED])
            running.cancel()
            await users.end()
        return users.tally


async def _until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


def test_a_gateway_that_is_away_is_asked_again_when_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "AWAY_S", 0.05)
    counted = asyncio.run(away_and_back())
    assert counted.outcomes[tally.UNREACHED] >= 1
    assert counted.outcomes[tally.ANSWERED] >= 1


@pytest.fixture
def counted() -> Tally:
    found = Tally()
    for _ in range(1_200):
        found.add(tally.ANSWERED, "3f9ac41b22e0")
    found.add(tally.FAILED, "9d07c1e0aa51")
    return found


def test_a_line_says_what_came_of_the_minute_and_the_next_one_begins_at_none(counted: Tally) -> None:
    said = "1,201 requests in 60 s: 1,200 answered, 1 failed; by release: 3f9ac41b22e0 1,200, 9d07c1e0aa51 1"
    assert counted.line(60) == said
    assert counted.line(60) == "0 requests in 60 s: none"
