"""`GET /v1/routing` and `/v1/routing/watch`: the signed snapshot, and events of new generations (gateway.md)."""

import json
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Final

from django.db import InterfaceError, OperationalError
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from relcontrol.accounts.models import Organization
from relcontrol.accounts.permissions import READ_ROUTING
from relcontrol.errors import Forbidden, TooManyRequests, Unauthenticated
from releases.edge.edge import Edge, edge_of
from releases.edge.generations import Position, Watch
from releases.edge.listening import positions_of
from releases.edge.metrics import STREAMS
from releases.routing.snapshot import Signed, remembered, signed_snapshot

COMMENT_SECONDS: Final = 10.0
LOOK_SECONDS: Final = 5.0  # how often a stream asks whether its token still holds
MOST_STREAMS: Final = 5_000
COMMENT: Final = b": still here\n\n"
NOT_KEPT: Final = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


async def routing(request: Request) -> Response:
    """The snapshot of the caller's organization, or 304 where the caller has it."""
    edge = edge_of(request)
    actor = await edge.caller(request, READ_ROUTING)
    signed = await _snapshot(edge, actor.organization)
    headers = NOT_KEPT | {"ETag": signed.etag}
    if _has_it(request.headers.get("if-none-match", ""), signed.etag):
        return Response(status_code=304, headers=headers)
    return Response(signed.body, headers=headers, media_type="application/json")


async def watch(request: Request) -> Response:
    """A stream that says the present generation at once, and each later one."""
    edge = edge_of(request)
    actor = await edge.caller(request, READ_ROUTING)
    if edge.generations.watching >= MOST_STREAMS:
        raise TooManyRequests("This process has as many streams as it takes; try another.", retry_after=5)
    await _know(edge, actor.organization)
    return StreamingResponse(
        _events(edge, request, actor.organization), headers=NOT_KEPT, media_type="text/event-stream"
    )


async def _snapshot(edge: Edge, organization: Organization) -> Signed:
    """From memory where its generation was seen to be the present one just now; else by way of the database."""
    position, signed = edge.generations.fresh(organization.pk), remembered(organization)
    if signed is not None and signed.position == position:
        return signed
    if position is None:
        return await edge.threads.run(signed_snapshot, organization)
    # Only with those who know of the same position: one that was begun before may be of the generation before.
    made = partial(edge.threads.run, signed_snapshot, organization)
    return await edge.snapshots.answer((organization.pk, position), made)


async def _know(edge: Edge, organization: Organization) -> None:
    """Publish the organization's position where none is known, so that the stream begins with one."""
    if edge.generations.fresh(organization.pk) is None:
        read_at = monotonic()
        positions = await edge.threads.run(positions_of, [organization.pk])
        if edge.generations.fresh(organization.pk) is None:  # else the listener, which reads in order, was faster
            edge.generations.publish(positions, read_at)


async def _events(edge: Edge, request: Request, organization: Organization) -> AsyncIterator[bytes]:
    with edge.generations.watch(organization.pk) as stream, STREAMS.track_inprogress():
        said_at = monotonic()
        while not stream.ended and await _may_go_on(edge, request):
            position = await stream.next(LOOK_SECONDS)
            if position is not None:
                yield event(position)
            elif not _is_due(stream, said_at):
                continue
            else:
                yield COMMENT
            said_at = monotonic()


def _is_due(stream: Watch, said_at: float) -> bool:
    return not stream.ended and monotonic() - said_at >= COMMENT_SECONDS - LOOK_SECONDS / 2


async def _may_go_on(edge: Edge, request: Request) -> bool:
    """The token still holds, as far as one can know: a database that is away ends no stream."""
    with suppress(OperationalError, InterfaceError, TooManyRequests):
        try:
            await edge.caller(request, READ_ROUTING)
        except (Unauthenticated, Forbidden):
            return False
    return True


def event(position: Position) -> bytes:
    """A position as a server-sent event."""
    epoch, generation = position
    content = json.dumps({"epoch": epoch, "generation": generation}, separators=(",", ":"))
    return f"id: {epoch}-{generation}\nevent: generation\ndata: {content}\n\n".encode()


def _has_it(if_none_match: str, etag: str) -> bool:
    """RFC 9110, 13.1.2: any of the listed tags, compared weakly."""
    listed = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag in listed or listed == ["*"]
