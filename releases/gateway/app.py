"""The ASGI application of a worker: which path is answered by what, and that every request ends in the log.

Bare ASGI, not Starlette's: there are seven paths, and its request and response objects would cost a tenth of what a
request may cost here.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

from starlette.types import Receive, Scope, Send

from relcontrol.model_servers import outcomes
from releases.gateway import listings
from releases.gateway.answering import Answering
from releases.gateway.calls import Call
from releases.gateway.control.holder import SnapshotHolder
from releases.gateway.errors import ClientGoneError, GatewayError, unexpected
from releases.gateway.headers import Headers
from releases.gateway.metrics import CONTENT_TYPE, exposition
from releases.gateway.recording import Recorder
from releases.gateway.sinks import JSON, ClientSink

MODEL_PATH: Final = "/v1/models/"
SHOWN: Final = 200
ANSWERED: Final = "This gateway answers POST /v1/chat/completions, POST /v1/embeddings and GET /v1/models."
logger = logging.getLogger(__name__)

Handler = Callable[[Call, Headers, Receive, ClientSink], Awaitable[None]]


class Gateway:
    """Answers requests; what it needs is made and ended by `releases.gateway.worker`."""

    def __init__(self, *, answering: Answering, holder: SnapshotHolder, recorder: Recorder) -> None:
        self._answering, self._holder, self._recorder = answering, holder, recorder
        self._paths: dict[str, tuple[str, str, Handler]] = {
            "/v1/chat/completions": ("POST", "chat", answering.chat),
            "/v1/embeddings": ("POST", "embeddings", answering.embeddings),
            "/v1/models": ("GET", "models", self._models),
            "/healthz": ("GET", "healthz", self._healthz),
            "/readyz": ("GET", "readyz", self._readyz),
            "/metrics": ("GET", "metrics", self._exposition),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request. Nothing that a client sends ends in an exception here."""
        headers = Headers(scope["headers"])
        method, name, handler = self._handler(scope["path"])
        call = Call(name, headers.request_id())
        sink = ClientSink(receive, send, [(b"x-request-id", call.request_id.encode())])
        try:
            _check_method(scope, method)
            await handler(call, headers, receive, sink)
        except GatewayError as error:
            await self._refuse(call, sink, error)
        except ClientGoneError:
            call.ended.error = outcomes.CLIENT_GONE
        except asyncio.CancelledError:  # the drain is over
            call.ended.error = call.ended.error or outcomes.CLIENT_GONE
            raise
        except Exception:
            logger.exception("a defect of the gateway, request %s", call.request_id)
            await self._refuse(call, sink, unexpected())
        finally:
            self._recorder.keep(call, sink)

    def _handler(self, path: str) -> tuple[str, str, Handler]:
        """Method, name and handler of a path; the method is empty where there is no such path."""
        found = self._paths.get(path)
        if found is not None:
            return found
        if path.startswith(MODEL_PATH) and len(path) > len(MODEL_PATH):
            return "GET", "model", partial(self._model, path[len(MODEL_PATH) :])
        return "", "unknown", self._healthz

    async def _refuse(self, call: Call, sink: ClientSink, error: GatewayError) -> None:
        call.fail(error)
        if not sink.started:
            await sink.refuse(error)

    async def _models(self, call: Call, headers: Headers, receive: Receive, sink: ClientSink) -> None:
        snapshot, application = self._answering.caller(call, headers)
        await sink.answer(200, JSON, _encoded(listings.models(snapshot, application)))

    async def _model(self, name: str, call: Call, headers: Headers, receive: Receive, sink: ClientSink) -> None:
        snapshot, application = self._answering.caller(call, headers)
        await sink.answer(200, JSON, _encoded(listings.model(snapshot, application, name)))

    async def _healthz(self, call: Call, headers: Headers, receive: Receive, sink: ClientSink) -> None:
        await sink.answer(200, JSON, _encoded({"status": "ok"}))

    async def _readyz(self, call: Call, headers: Headers, receive: Receive, sink: ClientSink) -> None:
        snapshot = self._holder.current
        if snapshot is None:
            reasons = ["No routing snapshot has arrived yet."]
            await sink.answer(503, JSON, _encoded({"status": "not ready", "reasons": reasons}))
        else:
            ready = {"status": "ready", "epoch": snapshot.epoch, "generation": snapshot.generation}
            await sink.answer(200, JSON, _encoded(ready))

    async def _exposition(self, call: Call, headers: Headers, receive: Receive, sink: ClientSink) -> None:
        await sink.answer(200, CONTENT_TYPE, await asyncio.to_thread(exposition))


def _check_method(scope: Scope, allowed: str) -> None:
    method = scope["method"][:SHOWN]
    if not allowed:
        raise GatewayError(404, f"Invalid URL ({method} {scope['path'][:SHOWN]}). {ANSWERED}", code="unknown_url")
    if method != allowed:
        message = f"Not allowed to {method} here; use {allowed}."
        raise GatewayError(405, message, code="method_not_supported", headers={"allow": allowed})


def _encoded(document: dict[str, Any]) -> bytes:
    return json.dumps(document).encode()
