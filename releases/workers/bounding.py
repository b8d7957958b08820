"""HTTP/1.1 as uvicorn and httptools read it, with bounds that they lack.

A head (request line and headers) has a largest size and a time in which it must arrive; so has what stands between the
pieces of a body, and the rest of a body that was answered already. There is a largest number of connections.

None of it takes a key to ask for, so it is bounded before anybody is known: at the gateway as at the edge.
"""

import asyncio
from typing import Any, Final

import httptools
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from releases.workers.declining import DecliningHttp

LARGEST_HEAD: Final = 64 * 1024
HEAD_SECONDS: Final = 30.0
FRAMING: Final = 4  # colon, space, line end
MOST_CONNECTIONS: Final = 8_000
RESERVED_FILES: Final = 512  # for everything that is no client's connection or the model server's behind it


class BoundedHttp(DecliningHttp):
    """uvicorn's protocol; every refusal closes the connection. `refusal` gives it the shape of who answers."""

    most_connections = MOST_CONNECTIONS
    _head = 0  # bytes of a head that is not complete, or since the last piece of a body
    _reading_body = False
    _head_timer: asyncio.TimerHandle | None = None

    def refusal(self, status: int, code: str, message: str) -> tuple[str, bytes]:
        """Content type and body of the answer to what was refused before it was a request."""
        return "text/plain; charset=utf-8", f"{message} ({status} {code})\n".encode()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        super().connection_made(transport)
        if len(self.connections) > self.most_connections:
            message = "There are as many connections as can be held here. Try again in a moment."
            self._refuse(503, "too_many_connections", message)
        else:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._unset_keepalive_if_required()
        self._head += len(data)
        try:
            self.feed(data)
        except httptools.HttpParserError:
            self._refuse(400, "invalid_http", "Your request is no valid HTTP.")
            return
        if self._head > LARGEST_HEAD:
            self._refuse_head()
        elif self._head and not self._reading_body and self._head_timer is None:
            self._await_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._reading_body:  # what stands after a body is no header of its request
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        self._forget_timer()
        self._unset_keepalive_if_required()
        self._reading_body, self._head = True, 0
        if sum(len(name) + len(value) + FRAMING for name, value in self.headers) + len(self.url) > LARGEST_HEAD:
            self._refuse_head()
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._head = 0
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        self._forget_timer()
        self._reading_body, self._head = False, 0
        if self.transport.is_closing():
            return
        super().on_message_complete()
        if self.cycle.response_complete:  # answered before its body was here: from now on the connection is idle
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._reading_body and not self.transport.is_closing():
            self._await_head()  # nobody waits for the rest of the body any more

    def _await_head(self) -> None:
        self._forget_timer()
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._too_slow)

    def _too_slow(self) -> None:
        self._head_timer = None
        cycle = self._cycle()
        if self._head and not self._reading_body and not self.transport.is_closing():
            self._refuse(408, "headers_too_slow", "Your request's headers did not arrive in time.")
        elif cycle is None or (self._reading_body and cycle.response_complete):
            self.transport.close()

    def _cycle(self) -> RequestResponseCycle | None:
        """The newest request; uvicorn's types do not say that at first there is none."""
        return self.cycle

    def _forget_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse_head(self) -> None:
        message = f"Your request's headers are larger than {LARGEST_HEAD:,} bytes."
        self._refuse(431, "headers_too_large", message)

    def _refuse(self, status: int, code: str, message: str) -> None:
        cycle = self._cycle()
        if cycle is not None and not cycle.response_complete:
            if cycle.response_started or self.pipeline or not self._reading_body:
                self.transport.close()  # an answer is on its way; nothing may be written into it
                return
            cycle.disconnected = True  # its body is what is wrong: this is its answer
            cycle.message_event.set()
        content_type, body = self.refusal(status, code, message)
        head: dict[str, Any] = {"content-type": content_type, "content-length": len(body), "connection": "close"}
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        self.transport.write(f"HTTP/1.1 {status} Refused\r\n{lines}\r\n".encode() + body)
        self.transport.close()


def connections_for(files: int) -> int:
    """How many connections leave a file for each one's model server, where a process may have `files` open."""
    return max(1, min(MOST_CONNECTIONS, (files - RESERVED_FILES) // 2))
