"""A request from its arrival to its end: what its log line, its metrics and its trace are made of."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from releases.gateway.control.snapshot import ApplicationEntry
from releases.gateway.errors import GatewayError
from releases.gateway.exchanges import Ended
from releases.gateway.metrics import Metrics
from releases.gateway.orders import Order
from releases.gateway.sinks import ClientSink


@dataclass(slots=True)
class Call:
    """What is known so far. `name` is one of ours, never the path as it was sent: that may hold anything."""

    name: str
    request_id: str
    began: float = field(default_factory=time.perf_counter)
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    application: ApplicationEntry | None = None
    order: Order | None = None
    client_settings: dict[str, Any] = field(default_factory=dict)
    ended: Ended = field(default_factory=Ended)
    received: int = 0

    def fail(self, error: GatewayError) -> None:
        """It is answered with an error object."""
        self.ended.fail(error)

    def read(self, size: int) -> None:
        """Its body is here: from now on time counts."""
        self.received, self.began, self.started_at = size, time.perf_counter(), datetime.now(UTC)

    def log_line(self, sink: ClientSink | None, replica: str) -> dict[str, Any]:
        """The line of the log: names and numbers, nothing that a user wrote."""
        order, ended = self.order, self.ended
        line: dict[str, Any] = {
            "event": "request",
            "request": self.name,
            "request_id": self.request_id,
            "status": sink.status if sink else self.ended.status,
            "error": ended.error,
            "application": self.application.slug if self.application else None,
            "key": self.application.key_id if self.application else None,
            "bytes_in": self.received,
            "bytes_out": sink.sent if sink else 0,
            "ms": round((time.perf_counter() - self.began) * 1000, 3),
            "replica": replica,
        }
        if order is not None:
            line |= {
                "route": order.route.id,
                "release": order.release.sha[:12],
                "arm": str(order.arm),
                "generation": order.snapshot.generation,
                "ttft_ms": ended.ttft_ms and round(ended.ttft_ms, 3),
            }
        return line

    def measure(self, metrics: Metrics, status: int) -> None:
        """Count it."""
        order = self.order
        metrics.request(
            labels=(
                self.application.slug if self.application else "",
                order.route.id if order else "",
                str(order.arm) if order else "",
            ),
            status=status,
            error=self.ended.error,
            latency_ms=self.ended.latency_ms if order else None,
            ttft_ms=self.ended.ttft_ms if order else None,
        )
