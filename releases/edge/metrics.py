"""What an edge process counts, for Prometheus; nothing of it names a customer."""

from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, generate_latest
from starlette.requests import Request
from starlette.responses import Response

REGISTRY: Final = CollectorRegistry()
STREAMS = Gauge("relcontrol_edge_streams", "Open routing watches.", registry=REGISTRY)
LISTENING = Gauge("relcontrol_edge_listening", "1 while this process LISTENs.", registry=REGISTRY)
HEARTBEATS = Counter("relcontrol_edge_heartbeats", "Heartbeats taken.", registry=REGISTRY)
ACKS = Counter("relcontrol_edge_acks", "Acknowledgements written.", registry=REGISTRY)
TRACES = Counter("relcontrol_edge_traces", "Rows of traces, by what became of them.", ["result"], registry=REGISTRY)
OTLP = Counter("relcontrol_edge_otlp", "Requests of OTLP exporters, by status.", ["status"], registry=REGISTRY)


async def metrics(_: Request) -> Response:
    """Prometheus text format."""
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)
