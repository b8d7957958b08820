"""The demo model server: an OpenAI-compatible API with no model behind it. Plainly a demo, for a first look and tests.

Every answer is a function of the seed and the prompt; how a model fails stands in its name (`behaviours`).
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from relcontrol.demo_models import wire
from relcontrol.demo_models.behaviours import NAMES
from relcontrol.demo_models.embeddings import embeddings
from relcontrol.demo_models.faults import ATTEMPT_HEADER, HANGS_S, RETRY_AFTER_S, Fault
from relcontrol.demo_models.fields import Fields, parsed
from relcontrol.demo_models.orders import chat_order
from relcontrol.demo_models.refusals import (
    SHOWN,
    RefusedError,
    server_error,
    too_long_an_answer,
    too_many_requests,
    unknown_model,
)
from relcontrol.demo_models.replies import reply_to
from relcontrol.demo_models.streams import EventStream

LARGEST_BODY: Final = 4 * 1024 * 1024
NOTE: Final = "A demo: no model answers here, and nothing that it says is legal advice."


@dataclass(frozen=True, slots=True)
class DemoModels:
    """The endpoints. `latency` scales every pause: 1 as a quick model, 0 without any."""

    seed: int
    latency: float

    async def chat(self, request: Request) -> Response:
        """POST /v1/chat/completions."""
        order = chat_order(await _fields(request))
        reply = reply_to(order, self.seed, _attempt(request))
        await _fail(request, reply.fault)
        await asyncio.sleep(self.latency * reply.first_s)
        if reply.fails or not order.stream:
            await asyncio.sleep(self.latency * reply.rest_s)
        if reply.fails:
            raise too_long_an_answer()
        return EventStream(order, reply, self.latency) if order.stream else _json(wire.completion(order, reply))

    async def embeddings(self, request: Request) -> Response:
        """POST /v1/embeddings."""
        return _json(embeddings(await _fields(request), self.seed))


def demo_models(*, seed: int = 0, latency: float = 1.0) -> Starlette:
    """The ASGI application."""
    endpoints = DemoModels(seed, latency)
    app = Starlette(
        routes=[
            Route("/", _about),
            Route("/healthz", _healthz),
            Route("/v1/models", _models),
            Route("/v1/models/{name:path}", _model),
            Route("/v1/chat/completions", endpoints.chat, methods=["POST"]),
            Route("/v1/embeddings", endpoints.embeddings, methods=["POST"]),
        ],
        exception_handlers=dict.fromkeys((RefusedError, HTTPException, Exception), _problem),
    )
    app.router.redirect_slashes = False
    return app


def _attempt(request: Request) -> int:
    text = request.headers.get(ATTEMPT_HEADER, "1")
    return int(text[:4]) if text.isascii() and text.isdecimal() else 1


async def _fail(request: Request, fault: Fault | None) -> None:
    """Fail as the server itself does; what is wrong with a reply stands in the reply."""
    if fault is Fault.BUSY:
        raise too_many_requests(RETRY_AFTER_S)
    if fault is Fault.ERROR:
        raise server_error()
    if fault is Fault.HANG:
        until = time.monotonic() + HANGS_S
        while time.monotonic() < until and not await request.is_disconnected():
            await asyncio.sleep(0.05)
        raise server_error()


async def _about(request: Request) -> Response:
    return _json({"service": "relcontrol demo models", "note": NOTE, "models": NAMES})


async def _healthz(request: Request) -> Response:
    return _json({"status": "ok"})


async def _models(request: Request) -> Response:
    return _json(wire.models())


async def _model(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in NAMES:
        raise unknown_model(name, param="model")
    return _json(wire.model(name))


async def _fields(request: Request) -> Fields:
    """The body as fields, never more of it in memory than the largest that is allowed."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_BODY:
            raise RefusedError(413, f"The body of your request is larger than {LARGEST_BODY} bytes.")
    return parsed(bytes(body))


def _json(document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    told = {"x-relcontrol-demo": "true", **(headers or {})}
    return Response(wire.encoded(document), status, headers=told, media_type="application/json")


async def _problem(request: Request, error: Exception) -> Response:
    """Whatever went wrong, in OpenAI's form."""
    headers: Mapping[str, str] | None = None
    if isinstance(error, RefusedError):
        refused, headers = error, error.headers
    elif isinstance(error, HTTPException):
        refused, headers = _of_routing(request, error.status_code), error.headers
    else:
        refused = server_error()
    return _json(refused.document(), refused.status, headers)


def _of_routing(request: Request, status: int) -> RefusedError:
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return RefusedError(status, f"Not allowed to {request.method} here.", code="method_not_supported")
    return RefusedError(status, f"Invalid URL ({request.method} {request.url.path[:SHOWN]})")
