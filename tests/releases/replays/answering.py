"""A model server that misbehaves as the path says, and notes what it was sent."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMPLETION: dict[str, Any] = {
    "choices": [{"message": {"role": "assistant", "content": "Yes.", "tool_calls": None}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 7, "completion_tokens": 2},
}


class Misbehaving(ThreadingHTTPServer):
    """`/{behaviour}/chat/completions`; `asked` are path, headers and body of each request."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        self.over = threading.Event()

    def at(self, behaviour: str) -> str:
        """The base address of one behaviour."""
        return f"http://127.0.0.1:{self.server_port}/{behaviour}"


class _Handler(BaseHTTPRequestHandler):
    server: Misbehaving

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, dict(self.headers), body))
        behaviour = self.path.split("/")[1]
        if behaviour == "hangs":
            self.server.over.wait(20)
        elif behaviour == "closes":
            self.close_connection = True
        elif behaviour == "breaks-off":
            self._send(200, b'{"choices": [', length=1_000)
        elif behaviour == "elsewhere":
            self._send(307, b"", location=self.server.at("good") + "/chat/completions")
        else:
            self._send(*_ANSWERS[behaviour])

    def _send(self, status: int, content: bytes, *, length: int | None = None, location: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        """Say nothing: tests look at the answers."""


_ANSWERS = {
    "good": (200, json.dumps(COMPLETION).encode()),
    "no-usage": (200, json.dumps({"choices": COMPLETION["choices"]}).encode()),
    "words": (200, b"Yes."),
    "empty": (200, b'{"choices": []}'),
    "list": (200, b"[]"),
    "odd-usage": (200, json.dumps(COMPLETION | {"usage": {"prompt_tokens": "7", "completion_tokens": -1}}).encode()),
    "overloaded": (503, b"{}"),
    "limited": (429, b"{}"),
}


@contextmanager
def misbehaving() -> Iterator[Misbehaving]:
    """The server, until the block ends."""
    with Misbehaving() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join(timeout=10)
