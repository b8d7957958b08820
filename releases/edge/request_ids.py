"""Every answer of the edge carries `X-Request-Id`: the caller's own where it is safe, else a new one (api.md)."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from relcontrol.web import request_id


class RequestIds:
    """ASGI middleware; the id is current for all that the request runs, its threads too."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        name = request_id.accepted_or_new(Headers(scope=scope).get(request_id.HEADER))

        async def with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[request_id.HEADER] = name
            await send(message)

        token = request_id.begin(name)
        try:
            await self.app(scope, receive, with_id)
        finally:
            request_id.end(token)
