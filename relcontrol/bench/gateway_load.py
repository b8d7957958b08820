"""The client of `manage.py bench gateway`, in a process of its own: `python -m relcontrol.bench.gateway_load PLAN`.

Open loop: requests begin at their times, whether earlier ones are answered or not, so that a stall is not hidden by
clients that wait for it. Closed loop: so many connections, each asks again as soon as it has its answer.
"""

import asyncio
import json
import re
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import uvloop

HOST: Final = "127.0.0.1"
LENGTH: Final = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
CHUNKED: Final = re.compile(rb"\r\ntransfer-encoding:\s*chunked", re.IGNORECASE)
ANSWER_SECONDS: Final = 30
CHAT: Final = "/v1/chat/completions"
ASKED: Final = "May affiliates of the licensee use the software in territories that the grant does not name? "


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send where. `rate` 0 is the closed loop, of `connections` for `seconds`; else `requests` at that rate."""

    port: int
    key: str
    model: str = "bench"
    stream: bool = False
    rate: float = 0
    requests: int = 0
    connections: int = 32
    seconds: float = 0


@dataclass(slots=True)
class Seen:
    """Seconds to the whole answer and to the first event of a stream; answers that were none, and how long it took."""

    whole: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    failed: int = 0
    seconds: float = 0.0


class Connection(asyncio.Protocol):
    """One kept-alive connection, for one request at a time."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._transport: Any = None
        self._answered: asyncio.Future[bool] | None = None
        self._gone = asyncio.Event()
        self.first = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the other side will still read."""
        return not self._gone.is_set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ready."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """A part of the answer."""
        self._received += data
        if not self.first and b"data:" in self._received:
            self.first = time.perf_counter()
        if is_whole(self._received):
            self._end(good=self._received.startswith(b"HTTP/1.1 200"))

    def connection_lost(self, exc: Exception | None) -> None:
        """An answer that was still to come will not."""
        self._gone.set()
        self._end(good=False)

    async def ask(self, request: bytes) -> bool:
        """Whether the request was answered with 200."""
        if not self.is_open:
            return False
        self._received.clear()
        self.first = 0.0
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        async with asyncio.timeout(ANSWER_SECONDS):
            return await self._answered

    async def close(self) -> None:
        """No more."""
        self._transport.close()
        await self._gone.wait()

    def _end(self, *, good: bool) -> None:
        answered, self._answered = self._answered, None
        if answered is not None and not answered.done():
            answered.set_result(good)


def is_whole(received: bytes | bytearray) -> bool:
    """Whether these bytes are a whole answer of HTTP/1.1."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return False
    if CHUNKED.search(received, 0, end + 2):
        return received.endswith(b"0\r\n\r\n")
    length = LENGTH.search(received, 0, end + 2)
    return length is not None and len(received) >= end + 4 + int(length[1])


class Client:
    """Carries out a plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.seen = plan, Seen()
        self._request = request_of(plan)
        self._idle: list[Connection] = []

    async def run(self) -> Seen:
        """What was seen."""
        await self._warm_up()
        began = time.perf_counter()
        await (self._open_loop() if self.plan.rate else self._closed_loop())
        self.seen.seconds = time.perf_counter() - began
        await asyncio.gather(*(one.close() for one in self._idle))
        return self.seen

    async def _warm_up(self) -> None:
        """A connection and an answer for each that will be used at once; they do not count."""
        ready = await asyncio.gather(*(self._connected() for _ in range(self.plan.connections)))
        await asyncio.gather(*(one.ask(self._request) for one in ready))
        self._idle += ready

    async def _open_loop(self) -> None:
        begin, asking = time.perf_counter(), set()
        for number in range(self.plan.requests):
            await asyncio.sleep(max(0.0, begin + number / self.plan.rate - time.perf_counter()))
            asking.add(asyncio.create_task(self._ask(await self._free())))
        await asyncio.gather(*asking)

    async def _closed_loop(self) -> None:
        end = time.perf_counter() + self.plan.seconds
        ready, self._idle = self._idle, []
        await asyncio.gather(*(self._again(one, end) for one in ready))

    async def _again(self, connection: Connection, end: float) -> None:
        self._idle.append(connection)
        while time.perf_counter() < end:
            await self._ask(await self._free())

    async def _ask(self, connection: Connection) -> None:
        began = time.perf_counter()
        try:
            good = await connection.ask(self._request)
        except TimeoutError:
            good = False
        if not good:
            self.seen.failed += 1
            await connection.close()
            return
        self.seen.whole.append(time.perf_counter() - began)
        if connection.first:
            self.seen.first.append(connection.first - began)
        self._idle.append(connection)

    async def _free(self) -> Connection:
        """A connection that nobody uses: one that the server keeps open, else a new one."""
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open:
                return connection
        return await self._connected()

    async def _connected(self) -> Connection:
        _, connection = await asyncio.get_running_loop().create_connection(Connection, HOST, self.plan.port)
        return connection


def request_of(plan: Plan) -> bytes:
    """The bytes of one chat request."""
    body = {"model": plan.model, "messages": [{"role": "user", "content": ASKED * 2}], "stream": plan.stream}
    content = json.dumps(body).encode()
    head = f"POST {CHAT} HTTP/1.1\r\nhost: {HOST}\r\nauthorization: Bearer {plan.key}\r\n"
    head += f"content-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
    return head.encode() + content


if __name__ == "__main__":
    json.dump(asdict(uvloop.run(Client(Plan(**json.loads(sys.argv[1]))).run())), sys.stdout)
