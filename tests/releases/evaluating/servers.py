"""A model server of tests: it answers by a rule, counts what it was asked, and can hold its answers back."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = dict[str, Any]
TOKENS = (11, 7)


@dataclass(frozen=True)
class Reply:
    """What the server does with one request; `message` takes the place of a plain text."""

    text: str = ""
    status: int = 200
    message: Mapping[str, Any] = field(default_factory=dict)


class ModelServer(ThreadingHTTPServer):
    """Answers `rule(body)`. `asked` are the bodies in their order; `most` the calls that were in flight at once."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, rule: Callable[[Body], Reply | str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.rule = rule
        self.asked: list[Body] = []
        self.lock = threading.Lock()
        self.flying = self.most = 0
        self.free = threading.Event()
        self.free.set()
        self.held_from: Callable[[Body], bool] = lambda body: True

    @property
    def url(self) -> str:
        """What an endpoint is made with."""
        return f"http://127.0.0.1:{self.server_port}/v1"

    def times(self) -> Counter[str]:
        """How often each body was asked for."""
        with self.lock:
            return Counter(json.dumps(body, sort_keys=True) for body in self.asked)

    @contextmanager
    def holding(self, which: Callable[[Body], bool] = lambda body: True) -> Iterator[None]:
        """Requests that come now, and are of these, get no answer until the block ends."""
        self.held_from = which
        self.free.clear()
        try:
            yield
        finally:
            self.free.set()

    def take(self, body: Body) -> Reply:
        """One request."""
        with self.lock:
            self.asked.append(body)
            self.flying += 1
            self.most = max(self.most, self.flying)
        if self.held_from(body):
            self.free.wait(60)
        with self.lock:
            self.flying -= 1
        reply = self.rule(body)
        return reply if isinstance(reply, Reply) else Reply(reply)


@dataclass(frozen=True)
class At:
    """Where another server is."""

    url: str


class _Handler(BaseHTTPRequestHandler):
    server: ModelServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        reply = self.server.take(body)
        message = {"role": "assistant", "content": reply.text, **reply.message}
        document = {
            "model": body["model"],
            "choices": [{"message": message, "finish_reason": "stop"}],
            "usage": dict(zip(("prompt_tokens", "completion_tokens"), TOKENS, strict=True)),
        }
        content = json.dumps(document if reply.status == 200 else {"error": {"message": "no"}}).encode()
        self.send_response(reply.status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:  # a client that was killed
            self.close_connection = True

    def log_message(self, *args: Any) -> None:
        """Say nothing: tests look at what was asked."""


@contextmanager
def model_server(rule: Callable[[Body], Reply | str]) -> Iterator[ModelServer]:
    """The server, until the block ends."""
    with ModelServer(rule) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.free.set()
            server.shutdown()
            thread.join(timeout=10)


def last_of_user(body: Body) -> str:
    """What the user said last."""
    return str(body["messages"][-1]["content"])
