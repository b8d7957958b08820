"""The model server of `manage.py bench judge`: the demo models, every call noted as it comes and as it goes.

What it counts is the server's own truth, to hold the product's books against. GET /noted tells the calls so far.
"""

import json
import sys
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import asdict
from typing import Any, Final

import uvicorn

from relcontrol.bench.judge_calls import Noted
from relcontrol.demo_models.app import demo_models
from relcontrol.runtime.ports import LOOPBACK

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

CHAT: Final = "/v1/chat/completions"
NOTED: Final = "/noted"


class Noting:
    """An ASGI application around another one."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._noted: list[Noted] = []

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass a call on and note it; or tell the notes."""
        path = scope.get("path")
        if path == CHAT:
            await self._note(scope, receive, send)
        elif path == NOTED:
            await self._tell(send)
        else:
            await self._app(scope, receive, send)

    async def _note(self, scope: Message, receive: Receive, send: Send) -> None:
        began, asked, said = time.monotonic(), bytearray(), bytearray()

        async def received() -> Message:
            message = await receive()
            asked.extend(message.get("body", b""))
            return message

        async def sent(message: Message) -> None:
            said.extend(message.get("body", b""))
            await send(message)

        await self._app(scope, received, sent)
        usage = json.loads(said).get("usage") or {}
        tokens = usage.get("prompt_tokens", 0), usage.get("completion_tokens", 0)
        self._noted.append(Noted(began, time.monotonic(), *tokens, asked.decode()))

    async def _tell(self, send: Send) -> None:
        body = json.dumps([asdict(each) for each in self._noted]).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    uvicorn.run(
        Noting(demo_models(latency=float(sys.argv[2]))),
        host=LOOPBACK,
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
    )
