"""The model server of `manage.py bench gateway`: one small answer, or the same in chunks, as fast as a socket can be.

`python -m relcontrol.bench.gateway_upstream PORT`. No framework, so that what a gateway adds is not lost in it.
"""

import asyncio
import json
import re
import sys
from typing import Any, Final

import uvloop

HOST: Final = "127.0.0.1"
CHUNKS: Final = 16
PAUSE_S: Final = 0.002  # from chunk to chunk
LENGTH: Final = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
STREAMS: Final = re.compile(rb'"stream":\s*true')
MODEL: Final = "bench"
TEXT: Final = "They may, where the grant names them. "
USAGE: Final = {"prompt_tokens": 21, "completion_tokens": CHUNKS, "total_tokens": 21 + CHUNKS}


def _document(kind: str, choice: dict[str, Any], **more: Any) -> bytes:
    choices = [{"index": 0, "finish_reason": None, **choice}]
    document = {"id": "chatcmpl-1", "object": kind, "created": 1, "model": MODEL, "choices": choices, **more}
    return json.dumps(document, separators=(",", ":")).encode()


def _event(choice: dict[str, Any], **more: Any) -> bytes:
    event = b"data: " + _document("chat.completion.chunk", choice, **more) + b"\n\n"
    return b"%x\r\n%s\r\n" % (len(event), event)


_MESSAGE: Final = {"message": {"role": "assistant", "content": TEXT * 4}, "finish_reason": "stop"}
_WHOLE: Final = _document("chat.completion", _MESSAGE, usage=USAGE)
ANSWER: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(_WHOLE) + _WHOLE
)
HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
CHUNK: Final = _event({"delta": {"role": "assistant", "content": TEXT}})
LAST: Final = _event({"delta": {}, "finish_reason": "stop"}, usage=USAGE) + b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"


class Model(asyncio.Protocol):
    """One connection; requests come one after the other."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody asks."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer once a request is whole."""
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        length = LENGTH.search(self._received, 0, end)
        if len(self._received) < end + 4 + (int(length[1]) if length else 0):
            return
        streams = STREAMS.search(self._received, end)
        self._received.clear()
        if streams is None:
            self._transport.write(ANSWER)
        else:
            self._transport.write(HEAD + CHUNK)
            asyncio.get_running_loop().call_later(PAUSE_S, self._go_on, CHUNKS - 1)

    def _go_on(self, left: int) -> None:
        if self._transport.is_closing():
            return
        if not left:
            self._transport.write(LAST)
            return
        self._transport.write(CHUNK)
        asyncio.get_running_loop().call_later(PAUSE_S, self._go_on, left - 1)


async def serve(port: int) -> None:
    """Until the process is ended."""
    server = await asyncio.get_running_loop().create_server(Model, HOST, port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
