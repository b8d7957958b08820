"""`POST /v1/traces` and `/v1/otlp/v1/traces`: batches in, partial acceptance out (api.md; gateway.md "Traces").

Inflating, parsing and storing run in threads of their own, so many at once; more are asked to come again.
"""

from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from relcontrol.accounts.models import Organization
from relcontrol.accounts.permissions import WRITE_TRACES
from relcontrol.clock import now
from releases.edge.bodies import TRACES_LIMIT, body_of, inflated, json_of, rows_of
from releases.edge.edge import edge_of
from releases.edge.metrics import OTLP, TRACES
from releases.otlp.receiving import receive
from releases.otlp.replies import Reply
from releases.traces.ingest import Stored, store
from releases.traces.rows import Rejection


async def traces(request: Request) -> Response:
    """A batch of rows; what is rejected is named by its place in the batch."""
    edge = edge_of(request)
    actor = await edge.caller(request, WRITE_TRACES)
    body = await body_of(request, TRACES_LIMIT)
    work = partial(_store, actor.organization, body, request.headers.get("content-encoding", ""))
    stored = await edge.trace_threads.run(work)
    TRACES.labels("accepted").inc(stored.accepted)
    TRACES.labels("rejected").inc(len(stored.rejected))
    return JSONResponse({"accepted": stored.accepted, "rejected": [_rejection(one) for one in stored.rejected]})


async def otlp(request: Request) -> Response:
    """A request of an OpenTelemetry exporter."""
    edge = edge_of(request)
    actor = await edge.caller(request, WRITE_TRACES)
    body = await body_of(request, TRACES_LIMIT)
    encoding, kind = request.headers.get("content-encoding", ""), request.headers.get("content-type", "")
    reply = await edge.trace_threads.run(partial(_receive, actor.organization, body, encoding, kind))
    OTLP.labels(str(reply.status)).inc()
    return Response(reply.body, status_code=reply.status, media_type=reply.content_type)


def _store(organization: Organization, body: bytes, encoding: str) -> Stored:
    rows = rows_of(json_of(inflated(body, encoding, TRACES_LIMIT)), "traces")
    return store(organization, rows, now=now())


def _receive(organization: Organization, body: bytes, encoding: str, kind: str) -> Reply:
    return receive(organization, kind, inflated(body, encoding, TRACES_LIMIT), now())


def _rejection(one: Rejection) -> dict[str, Any]:
    return {"row": one.row, "code": one.code, "detail": one.detail}
