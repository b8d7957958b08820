"""HTTP/1.1 at its edges: what a client offers, breaks off or never ends, in this process and on a socket of its own."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from releases.edge.protocol import EdgeHttp
from releases.gateway.protocol import GatewayHttp
from releases.workers import bounding
from releases.workers.bounding import BoundedHttp, connections_for

UPGRADE = b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n"
SPOKEN = [GatewayHttp, EdgeHttp]
LATE = 0.05  # seconds after which a head, or the rest of a body, is late here


class Echo:
    """Answers with the method, the path and the body, or at once where the path is `/early`; remembers headers."""

    def __init__(self) -> None:
        self.headers: list[dict[bytes, bytes]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", scope["path"] != "/early"
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body, more = body + message["body"], message["more_body"]
        self.headers.append(dict(scope["headers"]))
        said = f"{scope['method']} {scope['path']} ".encode() + body
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(said))]})
        await send({"type": "http.response.body", "body": said})


class Line:
    """One connection to the protocol."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, sent: bytes) -> None:
        self.writer.write(sent)
        await self.writer.drain()

    async def answer(self) -> tuple[int, bytes]:
        """Status and body of the next answer."""
        async with asyncio.timeout(5):
            head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length: ")[2].split(b"\r\n")[0])
            return int(head.split()[1]), await self.reader.readexactly(length)

    async def closed(self) -> bool:
        """Whether the other side ends the connection without another word."""
        async with asyncio.timeout(5):
            return await self.reader.read() == b""


@asynccontextmanager
async def listening(
    app: Echo, idle: float = 60, speaking: type[BoundedHttp] = GatewayHttp
) -> AsyncIterator[Callable[[], Coroutine[Any, Any, Line]]]:
    config, state = uvicorn.Config(app, http=speaking, log_config=None, timeout_keep_alive=idle), ServerState()  # type: ignore[arg-type]  # less than a second
    config.load()
    loop, lines = asyncio.get_running_loop(), list[Line]()
    server = await loop.create_server(lambda: speaking(config, state, {}), "127.0.0.1", 0)

    async def connect() -> Line:
        lines.append(Line(*await asyncio.open_connection(*server.sockets[0].getsockname())))
        return lines[-1]

    try:
        yield connect
    finally:
        for line in lines:
            line.writer.close()
        server.close()


def talk(
    conversation: Callable[[Line], Coroutine[Any, Any, None]],
    app: Echo | None = None,
    *,
    idle: float = 60,
    speaking: type[BoundedHttp] = GatewayHttp,
) -> None:
    """Hold one conversation on one connection."""

    async def held() -> None:
        async with listening(app or Echo(), idle, speaking) as connect:
            await conversation(await connect())

    asyncio.run(held())


@pytest.mark.parametrize(
    "framed",
    [
        b"content-length: 21\r\n\r\nGET / HTTP/1.1\r\nx: \r\n",
        b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ],
)
@pytest.mark.parametrize("in_pieces", [False, True])
@pytest.mark.parametrize("speaking", SPOKEN)
def test_another_protocol_is_declined_and_the_body_is_the_requests_own(
    framed: bytes, in_pieces: bool, speaking: type[BoundedHttp]
) -> None:
    head, _, body = framed.partition(b"\r\n\r\n")
    said = b"abc" if b"chunked" in head else body

    async def conversation(line: Line) -> None:
        for _ in range(2):  # the connection goes on
            if in_pieces:
                await line.send(b"POST /a?b HTTP/1.1\r\nhost: a\r\n" + UPGRADE + head[:9])
                await asyncio.sleep(0)
                await line.send(head[9:] + b"\r\n\r\n")
                await line.send(body)
            else:
                await line.send(b"POST /a?b HTTP/1.1\r\nhost: a\r\n" + UPGRADE + framed)
            assert await line.answer() == (200, b"POST /a " + said)
        await line.send(b"GET /b HTTP/1.1\r\nhost: a\r\n" + UPGRADE + b"\r\nGET /c HTTP/1.1\r\nhost: a\r\n\r\n")
        assert await line.answer() == (200, b"GET /b ")
        assert await line.answer() == (200, b"GET /c ")

    talk(conversation, speaking=speaking)


def test_a_tunnel_is_refused() -> None:
    async def conversation(line: Line) -> None:
        await line.send(b"CONNECT a:443 HTTP/1.1\r\nhost: a\r\n\r\n")
        assert (await line.answer())[0] == 400

    talk(conversation)


def test_what_stands_after_a_body_is_no_header() -> None:
    app = Echo()

    async def conversation(line: Line) -> None:
        head = b"POST / HTTP/1.1\r\nhost: a\r\nsubject: me\r\ntransfer-encoding: chunked\r\n\r\n"
        await line.send(head + b"1\r\na\r\n0\r\nsubject: you\r\n\r\n")
        assert await line.answer() == (200, b"POST / a")

    talk(conversation, app)
    assert app.headers[0][b"subject"] == b"me"


@pytest.mark.parametrize("filler", [b"a: b\r\n", b"a: " + b"b" * 1024, b"1;" + b"c" * 1024])
@pytest.mark.parametrize("speaking", SPOKEN)
def test_what_stands_between_or_after_the_pieces_of_a_body_is_bounded(
    filler: bytes, speaking: type[BoundedHttp]
) -> None:
    async def conversation(line: Line) -> None:
        chunk = b"" if filler.startswith(b"1") else b"0\r\n"
        await line.send(b"POST /early HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n" + chunk)
        assert (await line.answer())[0] == 200
        await line.send(filler * (8 * bounding.LARGEST_HEAD // len(filler)))
        assert (await line.answer())[0] == 431

    talk(conversation, speaking=speaking)


def test_what_is_refused_unread_is_said_in_the_shape_of_who_answers() -> None:
    said: dict[type[BoundedHttp], dict[str, Any]] = {}

    def asked(speaking: type[BoundedHttp]) -> None:
        async def conversation(line: Line) -> None:
            await line.send(b"GET / HTTP/1.1\r\n" + b"a: " + b"b" * bounding.LARGEST_HEAD)
            status, body = await line.answer()
            assert status == 431
            said[speaking] = json.loads(body)

        talk(conversation, speaking=speaking)

    asked(GatewayHttp)
    asked(EdgeHttp)
    assert said[GatewayHttp]["error"]["code"] == said[EdgeHttp]["code"] == "headers_too_large"
    assert said[EdgeHttp]["status"] == 431


def test_a_body_in_very_small_pieces_is_read() -> None:
    async def conversation(line: Line) -> None:
        await line.send(b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n")
        await line.send(b"1\r\nx\r\n" * 20_000 + b"0\r\n\r\n")
        assert await line.answer() == (200, b"POST / " + b"x" * 20_000)

    talk(conversation)


def test_a_body_that_is_broken_is_told_so() -> None:
    async def conversation(line: Line) -> None:
        await line.send(b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc\r\n")
        status, body = await line.answer()
        assert (status, b"invalid_http" in body) == (400, True)
        assert await line.closed()

    talk(conversation)


def test_the_rest_of_a_body_that_was_answered_must_come_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounding, "HEAD_SECONDS", LATE)

    async def conversation(line: Line) -> None:
        await line.send(b"POST /early HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n")
        assert (await line.answer())[0] == 200
        await line.send(b"x")
        assert await line.closed()

    talk(conversation)


def test_a_connection_is_idle_again_once_such_a_rest_is_here() -> None:
    async def conversation(line: Line) -> None:
        await line.send(b"POST /early HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\n")
        assert (await line.answer())[0] == 200
        await line.send(b"x")
        assert await line.closed()

    talk(conversation, idle=LATE)


def test_more_connections_than_can_be_held_are_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GatewayHttp, "most_connections", 1)

    async def held() -> None:
        async with listening(Echo()) as connect:
            first, second = await connect(), await connect()
            status, body = await second.answer()
            assert (status, b"too_many_connections" in body) == (503, True)
            await first.send(b"GET /b HTTP/1.1\r\nhost: a\r\n\r\n")
            assert await first.answer() == (200, b"GET /b ")

    asyncio.run(held())


@pytest.mark.parametrize(("files", "connections"), [(256, 1), (1024, 256), (20_000, bounding.MOST_CONNECTIONS)])
def test_each_connection_has_a_file_for_its_model_server(files: int, connections: int) -> None:
    assert connections_for(files) == connections
