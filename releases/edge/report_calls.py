"""`POST /v1/gateways/heartbeat` and `/v1/gateways/ack`: 204, with nothing to say."""

from starlette.requests import Request
from starlette.responses import Response

from relcontrol.accounts.permissions import REPORT_AS_GATEWAY
from relcontrol.api.inputs import read
from relcontrol.clock import now
from releases.edge.bodies import REPORT_LIMIT, body_of, json_of
from releases.edge.edge import edge_of
from releases.edge.metrics import ACKS, HEARTBEATS
from releases.edge.reports import AckInput, HeartbeatInput, acknowledgement, heartbeat


async def heartbeats(request: Request) -> Response:
    """Taken into the next second's write."""
    edge = edge_of(request)
    actor = await edge.caller(request, REPORT_AS_GATEWAY)
    said = read(HeartbeatInput, json_of(await body_of(request, REPORT_LIMIT)))
    edge.reporting.heartbeat(heartbeat(actor.organization, said, now()))
    HEARTBEATS.inc()
    return Response(status_code=204)


async def acks(request: Request) -> Response:
    """Written when this answers."""
    edge = edge_of(request)
    actor = await edge.caller(request, REPORT_AS_GATEWAY)
    said = read(AckInput, json_of(await body_of(request, REPORT_LIMIT)))
    await edge.reporting.acknowledge(acknowledgement(actor.organization, said, now()))
    ACKS.inc()
    return Response(status_code=204)
