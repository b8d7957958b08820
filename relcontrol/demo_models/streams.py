"""A stream of server-sent events that ends as it should, or breaks off and leaves the connection without an end."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Final

from starlette.responses import StreamingResponse
from starlette.types import Send

from relcontrol.demo_models import wire
from relcontrol.demo_models.orders import Order
from relcontrol.demo_models.replies import Reply

BREAKS_OFF: Final = "ASGI callable returned without completing response."


class EventStream(StreamingResponse):
    """Events of one reply; uvicorn cuts the connection of an answer that is not completed."""

    def __init__(self, order: Order, reply: Reply, latency: float) -> None:
        super().__init__(
            _events(order, reply, latency),
            media_type="text/event-stream",
            headers={"cache-control": "no-cache", "x-relcontrol-demo": "true"},
        )
        self._breaks_off = reply.breaks_after is not None

    async def stream_response(self, send: Send) -> None:
        """Send the events, and the end unless this stream has none."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for piece in self.body_iterator:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if not self._breaks_off:
            await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _events(order: Order, reply: Reply, latency: float) -> AsyncIterator[bytes]:
    pause = latency * reply.rest_s / max(1, len(reply.chunks))
    yield wire.opening(order, reply)
    for place, content in enumerate(wire.contents(order, reply)):
        if place == reply.breaks_after:
            return
        await asyncio.sleep(pause)
        yield content
    yield wire.closing(order, reply)


def is_no_broken_stream(record: logging.LogRecord) -> bool:
    """For the log of uvicorn: a stream that broke off on purpose is no error."""
    return record.msg != BREAKS_OFF
