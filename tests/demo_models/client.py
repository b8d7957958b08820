"""A server in a thread, and a plain client that sees the bytes as they come."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn

from relcontrol.demo_models.app import demo_models
from tests.runtime.waiting import eventually

QUESTION = "Draft an audit clause with ten days' warning for an agency agreement."


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def events(self) -> list[Any]:
        """The documents of a stream, up to the mark of its end."""
        *events, end = self.body.split(b"\n\n")
        assert end == b""
        assert all(event.startswith(b"data: ") for event in events)
        assert events[-1] == b"data: [DONE]"
        return [json.loads(event.removeprefix(b"data: ")) for event in events[:-1]]

    def said(self) -> str:
        return "".join(
            choice["delta"].get("content", "") for document in self.events() for choice in document["choices"]
        )


@dataclass(frozen=True)
class Client:
    port: int

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        sent = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, sent)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def chat(self, model: str = "demo-healthy", question: str = QUESTION, **members: Any) -> Answer:
        return self.ask("POST", "/v1/chat/completions", {**chat_body(model, question), **members})


def chat_body(model: str = "demo-healthy", question: str = QUESTION) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": question}]}


@contextmanager
def serving(*, seed: int, latency: float = 0.0) -> Iterator[Client]:
    config = uvicorn.Config(
        demo_models(seed=seed, latency=latency), loop="uvloop", http="httptools", ws="none", log_level="critical"
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        assert eventually(lambda: server.started)
        yield Client(listener.getsockname()[1])
        server.should_exit = True
        thread.join(timeout=10)
        assert not thread.is_alive()
