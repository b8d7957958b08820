"""An edge on loopback that does as it is told, and a gateway's control plane that talks to it."""

import asyncio
import gzip
import json
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from aiohttp import web

from releases.gateway.control.connection import ControlPlane
from releases.gateway.control.holder import SnapshotHolder
from releases.gateway.control.in_flight import InFlight
from releases.gateway.control.options import Options
from releases.gateway.control.traces import TraceQueue
from tests.releases.gateway.control import signed

TOKEN = "rct_of_the_gateway"
STEP_S = 0.005


def row(number: int) -> dict[str, Any]:
    """A trace row, told apart by its id."""
    return {"trace_id": f"{number:032x}", "started_at": "2026-11-21T16:00:00.000000Z", "input": "a question"}


async def soon(condition: Callable[[], Any], what: str, seconds: float = 20) -> None:
    """Until the condition holds; a failure that says what did not happen."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        await asyncio.sleep(STEP_S)


class Counted:
    """Metrics that can be looked at."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.levels: dict[str, float] = {}

    def count(self, name: str, n: int = 1) -> None:
        self.counts[name] += n

    def set(self, name: str, value: float) -> None:
        self.levels[name] = value


class FakeEdge:
    """The paths of the contract. `rows` counts how often each row was taken, `answers` how routing was answered."""

    def __init__(self) -> None:
        self.envelope, self.etag = b"", ""
        self.announces = True
        self.port = 0
        self.heartbeats: list[dict[str, Any]] = []
        self.acks: list[dict[str, Any]] = []
        self.rows: Counter[str] = Counter()
        self.answers: Counter[int] = Counter()
        self.trace_answers: deque[tuple[int, Any]] = deque()  # in place of taking the rows
        self.watchers: dict[web.StreamResponse, asyncio.Event] = {}  # set to end one
        self.fails_on = ""  # the trace whose batch makes a 500
        self.hold_traces: asyncio.Event | None = None
        self._runner: web.AppRunner | None = None

    async def start(self) -> Self:
        """Listen: on any port at first, later again on the same."""
        app = web.Application(client_max_size=64 * 1024 * 1024, middlewares=[_authenticated])
        app.router.add_get("/v1/routing", self._routing)
        app.router.add_get("/v1/routing/watch", self._watch)
        app.router.add_post("/v1/gateways/heartbeat", self._heartbeat)
        app.router.add_post("/v1/gateways/ack", self._ack)
        app.router.add_post("/v1/traces", self._traces)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def stop(self) -> None:
        """Be away."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await self.drop_streams()
            await runner.cleanup()

    async def publish(self, content: signed.Payload | bytes, *, etag: str = "") -> None:
        """Have a snapshot, and say so on every stream. Bytes are an envelope as it is."""
        if isinstance(content, bytes):
            self.envelope, self.etag = content, etag
        else:
            self.envelope, self.etag = signed.envelope(content), f'"{content["epoch"]}-{content["generation"]}"'
        for stream in list(self.watchers) if self.announces else ():
            await self._announce(stream)

    async def drop_streams(self) -> None:
        """Break off every event stream."""
        for stream, ended in self.watchers.items():
            ended.set()
            transport = stream._req.transport if stream._req else None
            if transport is not None:
                transport.abort()
        self.watchers.clear()

    async def _announce(self, stream: web.StreamResponse) -> None:
        epoch, generation = (int(part) for part in self.etag.strip('"').split("-"))
        said = json.dumps({"epoch": epoch, "generation": generation}, separators=(",", ":"))
        await stream.write(f"id: {epoch}-{generation}\nevent: generation\ndata: {said}\n\n".encode())

    async def _routing(self, request: web.Request) -> web.Response:
        if not self.envelope:
            status = 503
        elif request.headers.get("If-None-Match") == self.etag:
            status = 304
        else:
            status = 200
        self.answers[status] += 1
        return web.Response(status=status, body=self.envelope if status == 200 else b"", headers={"ETag": self.etag})

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        if not self.announces:
            return web.Response(status=503)
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await stream.prepare(request)
        await stream.write(b": welcome\n\n")
        if self.etag:
            await self._announce(stream)
        ended = self.watchers[stream] = asyncio.Event()
        await ended.wait()
        return stream

    async def _heartbeat(self, request: web.Request) -> web.Response:
        self.heartbeats.append(await request.json())
        return web.Response(status=204)

    async def _ack(self, request: web.Request) -> web.Response:
        self.acks.append(await request.json())
        return web.Response(status=204)

    async def _traces(self, request: web.Request) -> web.Response:
        assert request.headers["Content-Encoding"] == "gzip"
        body = await request.read()
        rows = json.loads(gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body)["traces"]
        if self.hold_traces is not None:
            await self.hold_traces.wait()
        if self.fails_on in [one["trace_id"] for one in rows]:
            return web.Response(status=500)
        if self.trace_answers:
            status, answer = self.trace_answers.popleft()
            return web.json_response(answer, status=status)
        self.rows.update(row["trace_id"] for row in rows)
        return web.json_response({"accepted": len(rows), "rejected": []})


@web.middleware
async def _authenticated(request: web.Request, handler: Any) -> web.StreamResponse:
    if request.headers.get("Authorization") != f"Bearer {TOKEN}":
        return web.Response(status=401)
    answer: web.StreamResponse = await handler(request)
    return answer


@dataclass
class Worker:
    """What a gateway's worker has of the control plane."""

    plane: ControlPlane
    holder: SnapshotHolder
    in_flight: InFlight
    queue: TraceQueue
    metrics: Counted
    running: asyncio.Task[None] = field(init=False)

    @property
    def generation(self) -> int:
        """Of the snapshot that serves; 0 without one."""
        current = self.holder.current
        return current.generation if current else 0


def worker(port: int, folder: Path, **options: Any) -> Worker:
    """One that does not run yet."""
    given: dict[str, Any] = {"token": TOKEN, "trust": signed.trust_file(), "region": "eu", "replica": "gw/1", **options}
    queue = given.pop("queue", None) or TraceQueue()
    holder, in_flight, metrics = SnapshotHolder(), InFlight(), Counted()
    plane = ControlPlane(
        Options(control_url=f"http://127.0.0.1:{port}", data_dir=folder, **given), holder, in_flight, queue, metrics
    )
    return Worker(plane, holder, in_flight, queue, metrics)


@asynccontextmanager
async def running(port: int, folder: Path, **options: Any) -> AsyncIterator[Worker]:
    """A worker whose tasks run until the block ends."""
    one = worker(port, folder, **options)
    one.running = asyncio.create_task(one.plane.run())
    try:
        yield one
    finally:
        one.running.cancel()
        await asyncio.gather(one.running, return_exceptions=True)


@asynccontextmanager
async def edge(content: signed.Payload | None = None) -> AsyncIterator[FakeEdge]:
    """An edge that listens, with a snapshot or none yet."""
    listening = await FakeEdge().start()
    try:
        if content is not None:
            await listening.publish(content)
        yield listening
    finally:
        await listening.stop()
