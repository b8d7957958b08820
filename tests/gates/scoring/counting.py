"""The demo models behind a count: how many calls there were, how many at once, and the tokens that were told."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from relcontrol.demo_models.app import demo_models
from tests.waiting import until


class Counting:
    """An ASGI application. Calls are held until `together` of them are there at once."""

    def __init__(self) -> None:
        self.app = demo_models(seed=0, latency=0.0)
        self.port = 0
        self.reset()

    def reset(self, together: int = 0) -> None:
        """Count from nothing."""
        self.together = together
        self.calls, self.now, self.most, self.input_tokens, self.output_tokens = 0, 0, 0, 0, 0

    @property
    def base_url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/v1"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Count a call, and answer it."""

        async def counted(message: Any) -> None:
            if message["type"] == "http.response.body":
                usage = json.loads(message["body"]).get("usage") or {}
                self.input_tokens += usage.get("prompt_tokens", 0)
                self.output_tokens += usage.get("completion_tokens", 0)
                self.now -= 1  # before the client can know, and ask again
            await send(message)

        self.calls, self.now = self.calls + 1, self.now + 1
        self.most = max(self.most, self.now)
        while self.most < self.together:
            await asyncio.sleep(0.002)
        await self.app(scope, receive, counted)


@contextmanager
def counting() -> Iterator[Counting]:
    """The server, until the block ends."""
    app = Counting()
    config = uvicorn.Config(app, loop="uvloop", http="httptools", ws="none", lifespan="off", log_level="critical")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        app.port = listener.getsockname()[1]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        until(lambda: server.started, 20, "the server starts")
        yield app
        server.should_exit = True
        thread.join(timeout=10)
        assert not thread.is_alive()
