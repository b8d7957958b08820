"""What an edge counts, for Prometheus; nothing of it names a customer.

Several workers of a port count together: each keeps a file in PROMETHEUS_MULTIPROC_DIR, and whoever is asked adds up.
"""

import os
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.requests import Request
from starlette.responses import Response

from releases.workers.supervising import METRICS_VARIABLE

REGISTRY: Final = CollectorRegistry()
STREAMS = Gauge("relcontrol_edge_streams", "Open routing watches.", registry=REGISTRY, multiprocess_mode="livesum")
LISTENING = Gauge(
    "relcontrol_edge_listening", "1 while every process LISTENs.", registry=REGISTRY, multiprocess_mode="livemin"
)
HEARTBEATS = Counter("relcontrol_edge_heartbeats", "Heartbeats taken.", registry=REGISTRY)
ACKS = Counter("relcontrol_edge_acks", "Acknowledgements written.", registry=REGISTRY)
TRACES = Counter("relcontrol_edge_traces", "Rows of traces, by what became of them.", ["result"], registry=REGISTRY)
OTLP = Counter("relcontrol_edge_otlp", "Requests of OTLP exporters, by status.", ["status"], registry=REGISTRY)


async def metrics(_: Request) -> Response:
    """Prometheus text format."""
    registry = REGISTRY
    if METRICS_VARIABLE in os.environ:
        MultiProcessCollector(registry := CollectorRegistry())  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
