"""A small HTTP server that plays relcontrol's part: it answers as a test tells it and remembers what it was asked."""

import json
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = f"rc_{'0a1b2c3d' * 2}.{'Secret-_' * 5}abc"


@dataclass(frozen=True)
class Reply:
    """One answer; `cut` closes the connection instead, `hung` waits until the stage is over."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    hung: bool = False


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


def answer(status: int, members: dict[str, Any], **headers: str) -> Reply:
    """A JSON answer."""
    return Reply(status, json.dumps(members).encode(), {"Content-Type": "application/json", **headers})


def problem(status: int, code: str, detail: str, **members: Any) -> Reply:
    """A problem document as relcontrol sends it."""
    document = {"title": "Error", "status": status, "code": code, "detail": detail, "request_id": "req_7", **members}
    return Reply(status, json.dumps(document).encode(), {"Content-Type": "application/problem+json"})


class Stage:
    """The server: `plays` says what a path answers, one reply after the other, the last one again and again."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.over = threading.Event()
        self._replies: defaultdict[str, list[Reply]] = defaultdict(list)
        stage = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                stage.answer(self)

            do_GET = do_POST = _answer  # noqa: N815 - the names that http.server looks for

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
                """Keep the tests' output clean."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def plays(self, call: str, *replies: Reply) -> None:
        """What `GET /v1/…` answers; the query does not count."""
        self._replies[call].extend(replies)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Note a request and send its reply."""
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        self.asked.append(Asked(handler.command, handler.path, dict(handler.headers.items()), body))
        replies = self._replies[f"{handler.command} {handler.path.partition('?')[0]}"]
        reply = problem(404, "not_found", "There is nothing here.") if not replies else replies[0]
        if len(replies) > 1:
            replies.pop(0)
        if reply.hung:
            self.over.wait()
        if reply.cut or reply.hung:
            handler.close_connection = True
            return
        handler.send_response(reply.status)
        for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(reply.body)

    def close(self) -> None:
        """Stop listening."""
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
