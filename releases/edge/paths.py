"""Every path of the edge, and the application that answers them (api.md)."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from releases.edge.edge import lifespan
from releases.edge.health import healthz, readyz
from releases.edge.metrics import metrics
from releases.edge.problems import HANDLERS
from releases.edge.report_calls import acks, heartbeats
from releases.edge.request_ids import RequestIds
from releases.edge.routing_calls import routing, watch
from releases.edge.trace_calls import otlp, traces


def application() -> Starlette:
    """A new edge application."""
    return Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
            Route("/v1/routing", routing),
            Route("/v1/routing/watch", watch),
            Route("/v1/gateways/heartbeat", heartbeats, methods=["POST"]),
            Route("/v1/gateways/ack", acks, methods=["POST"]),
            Route("/v1/traces", traces, methods=["POST"]),
            Route("/v1/otlp/v1/traces", otlp, methods=["POST"]),
        ],
        middleware=[Middleware(RequestIds)],
        exception_handlers=HANDLERS,
        lifespan=lifespan,
    )
