"""A model server whose answers, one after the other, are those that a test names; then it answers well."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

USAGE = (7, 2)


def completion(content: Any = "Yes.", *, model: Any = "m-2026-01-01", **message: Any) -> dict[str, Any]:
    """A chat completion."""
    said = {"role": "assistant", "content": content} | message
    usage = {"prompt_tokens": USAGE[0], "completion_tokens": USAGE[1]}
    return {"model": model, "choices": [{"message": said, "finish_reason": "stop"}], "usage": usage}


class Sequences(ThreadingHTTPServer):
    """An answer is a status, (status, Retry-After), a body, or a way to misbehave."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.lock = threading.Lock()
        self.over, self.arrived = threading.Event(), threading.Event()
        self.number = 0
        self.answers: dict[int, list[Any]] = {}
        self.headers: dict[int, list[dict[str, str]]] = {}

    def answering(self, *answers: Any) -> str:
        """The address of a new sequence."""
        self.number += 1
        self.arrived.clear()
        self.answers[self.number], self.headers[self.number] = list(answers), []
        return f"http://127.0.0.1:{self.server_port}/{self.number}"

    def asked(self) -> list[dict[str, str]]:
        """The headers of each request to the newest sequence."""
        return self.headers[self.number]

    def next_answer(self, number: int, headers: dict[str, str]) -> Any:
        """What is said now; whoever waits for a request is told."""
        with self.lock:
            self.headers[number].append(headers)
            return self.answers[number].pop(0) if self.answers[number] else completion()


class _Handler(BaseHTTPRequestHandler):
    server: Sequences

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        said = self.server.next_answer(int(self.path.split("/")[1]), dict(self.headers))
        match said:
            case "hangs":
                self.server.arrived.set()
                self.server.over.wait(20)
            case "closes":
                self.close_connection = True
            case "breaks-off":
                self._send(200, b'{"choices": [', length=1_000)
            case "no-completion":
                self._send(200, json.dumps(completion() | {"choices": []}).encode())
            case int():
                self._send(said, b"{}")
            case (int() as status, str() as wait):
                self._send(status, b"{}", retry_after=wait)
            case _:
                self._send(200, json.dumps(said).encode())
        self.server.arrived.set()

    def _send(self, status: int, content: bytes, *, length: int | None = None, retry_after: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        if retry_after:
            self.send_header("Retry-After", retry_after)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        """Say nothing: tests look at the answers."""


@contextmanager
def sequences() -> Iterator[Sequences]:
    """The server, until the block ends."""
    with Sequences() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join(timeout=10)
