"""Where answers go: to the client, or nowhere. A client that goes away ends its request at once.

Bytes of the model server go to the client as they came; its headers never do.
"""

import asyncio
import time
from types import TracebackType
from typing import Final, Self

from starlette.types import Receive, Send

from releases.gateway.errors import GatewayError

JSON: Final = "application/json"

RawHeaders = list[tuple[bytes, bytes]]


class ClientSink:
    """The client of one request. As a context: its block is cancelled when the client goes away; `gone` tells."""

    def __init__(self, receive: Receive, send: Send, headers: RawHeaders) -> None:
        self.started = False
        self.finished = False
        self.gone = False
        self.waited = 0.0
        self.sent = 0
        self.status = 0
        self._receive, self._send, self.headers = receive, send, headers
        self._watch: asyncio.Task[None] | None = None
        self._owner: asyncio.Task[object] | None = None

    async def __aenter__(self) -> Self:
        self._owner = asyncio.current_task()
        self._watch = asyncio.create_task(self._watch_client())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._disarm()
        if not self.gone or self._owner is None:
            return False
        return self._owner.uncancel() == 0 and kind is asyncio.CancelledError

    async def begin(self, content_type: str, length: int | None) -> None:
        await self._start(200, content_type, length)

    async def send(self, data: bytes) -> None:
        await self._body(data, more=True)

    async def finish(self, data: bytes = b"") -> None:
        self._disarm()  # an answered request is also told that its client has "gone"
        await self._body(data, more=False)
        self.finished = True

    async def refuse(self, error: GatewayError) -> None:
        """Answer with an error object."""
        body = error.encoded()
        self.headers += [(name.encode(), value.encode()) for name, value in error.headers.items()]
        await self.answer(error.status, JSON, body)

    async def answer(self, status: int, content_type: str, body: bytes) -> None:
        """A whole answer of the gateway's own."""
        await self._start(status, content_type, len(body))
        await self.finish(body)

    async def _start(self, status: int, content_type: str, length: int | None) -> None:
        self.started, self.status = True, status
        headers = [(b"content-type", content_type.encode()), *self.headers]
        if length is None:
            headers += [(b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no")]
        else:
            headers.append((b"content-length", str(length).encode()))
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def _body(self, data: bytes, *, more: bool) -> None:
        began = time.perf_counter()
        await self._send({"type": "http.response.body", "body": data, "more_body": more})
        self.waited += time.perf_counter() - began
        self.sent += len(data)

    async def _watch_client(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            continue
        self.gone = True
        if self._owner is not None:
            self._owner.cancel()

    def _disarm(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None


class NoSink:
    """Nobody: for shadows, whose answers are never shown."""

    def __init__(self) -> None:
        self.started = False
        self.waited = 0.0

    async def begin(self, content_type: str, length: int | None) -> None:
        self.started = True

    async def send(self, data: bytes) -> None:
        """Forget it."""

    async def finish(self, data: bytes = b"") -> None:
        """Forget it."""
