"""Chat and embeddings from key to trace: the seven steps of gateway.md "A request", in their order."""

import asyncio
import json
from typing import Final

from starlette.types import Receive

from relcontrol.model_servers import outcomes
from releases.bucketing import Arm
from releases.gateway.admission import Admission
from releases.gateway.bodies import flag, parsed, read_body
from releases.gateway.calls import Call
from releases.gateway.choosing import route_for
from releases.gateway.control.holder import SnapshotHolder
from releases.gateway.control.in_flight import InFlight
from releases.gateway.control.snapshot import ApplicationEntry, Snapshot
from releases.gateway.errors import GatewayError, invalid_key, not_ready
from releases.gateway.exchanges import Question, exchange
from releases.gateway.headers import ROUTE, SUBJECT, Headers
from releases.gateway.orders import Order, assignment, subject_for
from releases.gateway.rendering import rendered, usage_asked
from releases.gateway.shadows import Shadows
from releases.gateway.sinks import ClientSink
from releases.gateway.upstream import Upstream

SHA_SHOWN: Final = 12


class Answering:
    """The request path of one worker."""

    def __init__(
        self,
        *,
        holder: SnapshotHolder,
        upstream: Upstream,
        in_flight: InFlight,
        shadows: Shadows,
        admission: Admission,
        max_body: int,
        seconds: float,
    ) -> None:
        self._holder, self._upstream, self._in_flight, self._shadows = holder, upstream, in_flight, shadows
        self._admission, self._max_body, self._seconds = admission, max_body, seconds

    def caller(self, call: Call, headers: Headers) -> tuple[Snapshot, ApplicationEntry]:
        """Step 1: the snapshot that this request keeps, and whose key was sent."""
        snapshot = self._holder.current
        if snapshot is None:
            raise not_ready()
        application = snapshot.application_of_key(headers.bearer())
        if application is None:
            raise invalid_key()
        call.application = application
        return snapshot, application

    async def chat(self, call: Call, headers: Headers, receive: Receive, sink: ClientSink) -> None:
        """POST /v1/chat/completions."""
        snapshot, application = self.caller(call, headers)
        with self._admission.admitted(application.id):
            raw = await self._received(headers, receive)
            order = self._order(call, headers, snapshot, application, raw, chat=True)
            await self._serve(call, order, sink, stream=flag(order.body, "stream"), raw=b"")

    async def embeddings(self, call: Call, headers: Headers, receive: Receive, sink: ClientSink) -> None:
        """POST /v1/embeddings: the client's body as it came, to the model server of the arm."""
        snapshot, application = self.caller(call, headers)
        with self._admission.admitted(application.id):
            raw = await self._received(headers, receive)
            order = self._order(call, headers, snapshot, application, raw, chat=False)
            await self._serve(call, order, sink, stream=False, raw=raw)

    async def _received(self, headers: Headers, receive: Receive) -> bytes:
        try:
            async with asyncio.timeout(self._seconds):
                return await read_body(receive, headers, self._max_body)
        except TimeoutError:
            message = f"The body of your request did not arrive within {self._seconds:g} s."
            raise GatewayError(408, message, code="body_too_slow", headers={"connection": "close"}) from None

    def _order(
        self, call: Call, headers: Headers, snapshot: Snapshot, application: ApplicationEntry, raw: bytes, *, chat: bool
    ) -> Order:
        """Steps 2 to 4."""
        call.read(len(raw))
        body = parsed(raw)
        route = route_for(snapshot, application, header=headers.text(ROUTE), body=body)
        subject = subject_for(header=headers.text(SUBJECT), body=body, key=headers.bearer(), request_id=call.request_id)
        who = (subject, call.request_id, body, len(raw), chat)
        try:
            release, arm = assignment(snapshot, route, subject)
        except GatewayError:
            if chat and route.candidate is not None:  # a route's first release is tried by copies of what it refuses
                first = snapshot.release(route.candidate.release)
                self._shadows.offer(Order(snapshot, application, route, first, Arm.SHADOW, *who))
            raise
        call.order = Order(snapshot, application, route, release, arm, *who)
        return call.order

    async def _serve(self, call: Call, order: Order, sink: ClientSink, *, stream: bool, raw: bytes) -> None:
        """Steps 5 to 7."""
        sha = order.release.sha
        sink.headers += [
            (b"x-relcontrol-release", sha[:SHA_SHOWN].encode()),
            (b"x-relcontrol-generation", str(order.snapshot.generation).encode()),
        ]
        question = self._question(call, order, stream=stream, raw=raw)
        self._in_flight.begin(sha)
        try:
            async with sink:
                await exchange(self._upstream, question, sink, call.ended, seconds=self._seconds)
        finally:
            self._in_flight.end(sha)
        if sink.gone:
            call.ended.error = outcomes.CLIENT_GONE
        elif call.ended.failure is not None:
            await sink.refuse(call.ended.failure)
        elif call.ended.error is None and order.chat:
            self._shadows.offer(order)

    def _question(self, call: Call, order: Order, *, stream: bool, raw: bytes) -> Question:
        endpoint = order.release.endpoint
        if not order.chat:
            return Question(endpoint, "/embeddings", raw, "data")
        rendering = rendered(order.release, order.application, order.body)
        call.client_settings = rendering.client_settings
        payload = json.dumps(rendering.body, separators=(",", ":")).encode()
        hide = stream and not usage_asked(order.body)
        return Question(endpoint, "/chat/completions", payload, "choices", stream=stream, hide_usage=hide)
