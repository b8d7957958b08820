"""HTTP/1.1 as uvicorn and httptools read it, with bounds that they lack.

A head (request line and headers) has a largest size and a time in which it must arrive.
"""

import asyncio
from typing import Any, Final

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from releases.gateway.errors import GatewayError

LARGEST_HEAD: Final = 64 * 1024
HEAD_SECONDS: Final = 30.0
FRAMING: Final = 4  # colon, space, line end


class BoundedHttp(HttpToolsProtocol):
    """uvicorn's protocol; every refusal is in OpenAI's shape and closes the connection."""

    _head = 0  # bytes of a head that is not complete
    _reading_body = False
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._unset_keepalive_if_required()
        if not self._reading_body:
            self._head += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            return  # the request is answered as it is; the other protocol is not spoken
        except httptools.HttpParserError:
            self._refuse(GatewayError(400, "Your request is no valid HTTP.", code="invalid_http"))
            return
        if self._head > LARGEST_HEAD:
            self._refuse_head()
        elif self._head and self._head_timer is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        self._forget_timer()
        self._reading_body, self._head = True, 0
        if sum(len(name) + len(value) + FRAMING for name, value in self.headers) + len(self.url) > LARGEST_HEAD:
            self._refuse_head()
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._reading_body = False
        if not self.transport.is_closing():
            super().on_message_complete()

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._too_slow)

    def _too_slow(self) -> None:
        self._head_timer = None
        if self._head and not self.transport.is_closing():
            self._refuse(GatewayError(408, "Your request's headers did not arrive in time.", code="headers_too_slow"))
        elif self._cycle() is None:
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
        self._refuse(GatewayError(431, message, code="headers_too_large"))

    def _refuse(self, error: GatewayError) -> None:
        cycle = self._cycle()
        if cycle is not None and not cycle.response_complete:
            self.transport.close()  # an answer is on its way; nothing may be written into it
            return
        body = error.encoded()
        head: dict[str, Any] = {"content-type": "application/json", "content-length": len(body), "connection": "close"}
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        self.transport.write(f"HTTP/1.1 {error.status} Refused\r\n{lines}\r\n".encode() + body)
        self.transport.close()
