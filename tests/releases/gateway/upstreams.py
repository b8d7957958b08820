"""A model server that does what a model's name says, and an edge that hands out one snapshot and takes traces."""

import asyncio
import gzip
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.waiting import until

WORDS = ("Audits ", "need ", "ten ", "days' ", "notice.")
TOOL = {"id": "call_1", "type": "function", "function": {"name": "search", "arguments": '{"q": "audit"}'}}
Body = dict[str, Any]


def error(status: int, **said: str) -> dict[str, Any]:
    """An answer with OpenAI's error object, and a header that is nobody's business."""
    body = json.dumps({"error": said})
    return {"status": status, "text": body, "content_type": "application/json", "headers": {"x-internal": "gpu-7"}}


FIXED: dict[str, dict[str, Any]] = {
    "garbage": {"body": b"<html>lost</html>", "content_type": "text/html"},
    "wrong-shape": {"text": '{"object": "list"}', "content_type": "application/json"},
    "redirect": {"status": 302, "headers": {"location": "http://127.0.0.1:1/"}},
    "status-503": {"status": 503, "text": "busy"},
    "status-500": error(500, message="CUDA out of memory, key sk-upstream-secret", type="server_error"),
    "status-429": error(429, message="Rate limit reached", type="requests", code="rate_limit_exceeded"),
    "status-400": error(400, message="context_length_exceeded", type="invalid_request_error"),
    "status-403": error(403, message="no access"),
    "status-404": error(404, message="The model does not exist", code="model_not_found"),
    "status-401": error(401, message="bad key sk-upstream-secret"),
}


@dataclass
class Upstream:
    """What was asked, and how many askers went away before the end."""

    asked: list[Body] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    attempts: Counter[str] = field(default_factory=Counter)
    abandoned: Counter[str] = field(default_factory=Counter)
    go: threading.Event = field(default_factory=threading.Event)

    def release(self) -> None:
        """Let everything go on that waits for it (the model `slow`)."""
        self.go.set()

    async def _released(self) -> None:
        while not self.go.is_set():
            await asyncio.sleep(0.01)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        model = body["model"]
        self.asked.append(body)
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        self.attempts[model] += 1
        try:
            return await self._behave(request, model, body)
        except (asyncio.CancelledError, ConnectionResetError):
            self.abandoned[model] += 1
            raise

    async def _behave(self, request: web.Request, model: str, body: Body) -> web.StreamResponse:
        if model == "hang":
            await asyncio.sleep(60)
        if model == "slow" and not body.get("stream"):
            await self._released()
        if model == "reset" or (model == "reset-once" and self.attempts[model] == 1):
            assert request.transport is not None
            request.transport.abort()
        if model in FIXED:
            return web.Response(**FIXED[model])
        if body.get("stream"):
            return await self._stream(request, model, body)
        return web.json_response(completion(model), headers={"x-internal": "gpu-7"})

    async def _stream(self, request: web.Request, model: str, body: Body) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream", "x-internal": "gpu-7"})
        await response.prepare(request)
        for place, event in enumerate(events(model, body)):
            if model == "half" and place == 3:
                assert request.transport is not None
                request.transport.abort()
                return response
            if model == "slow" and place == 2:
                await self._released()
            if model == "no-done" and place == 3:
                break
            if model == "mid-error" and place == 3:
                await response.write(b'data: {"error": {"message": "overloaded"}}\n\n')
                break
            if model == "endless":
                while True:
                    await response.write(event)
                    await asyncio.sleep(0.01)
            for piece in (event[:7], event[7:]) if model == "cut" else (event,):
                await response.write(piece)
                if model == "cut":
                    await asyncio.sleep(0.002)
        await response.write_eof()
        return response

    async def embed(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked.append(body)
        entry = {"object": "embedding", "index": 0, "embedding": [0.25, -0.5]}
        usage = {"prompt_tokens": 3, "total_tokens": 3}
        return web.json_response({"object": "list", "data": [entry], "model": body["model"], "usage": usage})


def completion(model: str) -> Body:
    message: Body = {"role": "assistant", "content": "".join(WORDS)}
    reason = "stop"
    if model == "tools":
        message, reason = {"role": "assistant", "content": None, "tool_calls": [TOOL]}, "tool_calls"
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16},
    }


def events(model: str, body: Body) -> Iterator[bytes]:
    """The events of a stream as bytes; with usage where it was asked for."""
    if model == "tools":
        parts = [{"index": 0, **TOOL, "function": {"name": "search", "arguments": ""}}]
        parts += [{"index": 0, "function": {"arguments": text}} for text in ('{"q": ', '"audit"}')]
        deltas: list[Body] = [{"tool_calls": [part]} for part in parts]
        reason = "tool_calls"
    else:
        deltas, reason = [{"content": word} for word in WORDS], "stop"
    yield event(model, [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}])
    for delta in deltas:
        yield event(model, [{"index": 0, "delta": delta, "finish_reason": None}])
    yield event(model, [{"index": 0, "delta": {}, "finish_reason": reason}])
    if (body.get("stream_options") or {}).get("include_usage"):
        yield event(model, [], usage={"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16})
    yield b"data: [DONE]\n\n"


def event(model: str, choices: list[Body], **more: Any) -> bytes:
    document = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model}
    return b"data: " + json.dumps({**document, "choices": choices, **more}).encode() + b"\n\n"


@dataclass
class Edge:
    """One signed snapshot for everybody, and the rows of all traces."""

    envelope: bytes = b""
    port: int = 0
    rows: list[Body] = field(default_factory=list)
    beats: list[Body] = field(default_factory=list)

    async def routing(self, request: web.Request) -> web.Response:
        if not self.envelope:
            return web.json_response({"title": "not yet"}, status=503)
        etag = f'"{hash(self.envelope)}"'
        if request.headers.get("if-none-match") == etag:
            return web.Response(status=304)
        return web.Response(body=self.envelope, content_type="application/json", headers={"etag": etag})

    async def traces(self, request: web.Request) -> web.Response:
        raw = await request.read()
        body = json.loads(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)
        self.rows += body["traces"]
        return web.json_response({"accepted": len(body["traces"]), "rejected": []})

    async def heartbeat(self, request: web.Request) -> web.Response:
        self.beats.append(await request.json())
        return web.Response(status=204)

    async def acknowledge(self, request: web.Request) -> web.Response:
        return web.Response(status=204)

    def row(self, request_id: str, arm: str | None = None) -> Body:
        """The trace of a request, once it has arrived."""

        def found() -> Body | None:
            rows = [row for row in self.rows if row["request_id"] == request_id and arm in (None, row["arm"])]
            return rows[0] if rows else None

        return until(found, 10, f"a trace of {request_id} ({arm or 'any arm'})") or {}


@dataclass
class Servers:
    port: int
    upstream: Upstream
    edge: Edge

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def servers() -> Iterator[Servers]:
    """Both on one port, in a thread with a loop of its own."""
    both = Servers(0, Upstream(), Edge())
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_post("/v1/chat/completions", both.upstream.answer)
    app.router.add_post("/v1/embeddings", both.upstream.embed)
    app.router.add_get("/v1/routing", both.edge.routing)
    app.router.add_post("/v1/traces", both.edge.traces)
    app.router.add_post("/v1/gateways/heartbeat", both.edge.heartbeat)
    app.router.add_post("/v1/gateways/ack", both.edge.acknowledge)
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=1)

    async def start() -> int:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return int(runner.addresses[0][1])

    both.port = loop.run_until_complete(start())
    both.edge.port = both.port
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield both
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()
