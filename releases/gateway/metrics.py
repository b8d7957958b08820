"""What the gateway counts, for Prometheus, added up over all workers of this machine.

prometheus_client keeps one file per process in PROMETHEUS_MULTIPROC_DIR, which must be set before it is imported;
`releases.workers.supervising` does that before a worker starts.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector

from releases.gateway.control.options import COUNTED, EPOCH, GENERATION, MEASURED

PREFIX: Final = "relcontrol_gateway_"
SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
_TOGETHER: Final = (EPOCH, GENERATION)  # the same for all workers: the newest, never a sum


class Metrics:
    """Counters of requests, and the named ones of the control-plane client."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        arms = ("application", "route", "arm")
        self._requests = Counter(
            f"{PREFIX}requests", "Requests by how they ended.", (*arms, "status", "error"), registry=registry
        )
        self._latency = Histogram(
            f"{PREFIX}latency_seconds", "To the end of the answer.", arms, registry=registry, buckets=SECONDS
        )
        self._first_token = Histogram(
            f"{PREFIX}first_token_seconds", "To the first token.", arms, registry=registry, buckets=SECONDS
        )
        self._shadows_dropped = Counter(f"{PREFIX}shadows_dropped", "Shadows over the budget.", registry=registry)
        self._counted = {name: Counter(PREFIX + name, _said(name), registry=registry) for name in COUNTED}
        self._measured = {
            name: Gauge(
                PREFIX + name,
                _said(name),
                registry=registry,
                multiprocess_mode="livemax" if name in _TOGETHER else "livesum",
            )
            for name in MEASURED
        }

    def count(self, name: str, n: int = 1) -> None:
        """Add to a counter of the control-plane client."""
        self._counted[name].inc(n)

    def set(self, name: str, value: float) -> None:
        """Say a level of the control-plane client."""
        self._measured[name].set(value)

    def request(
        self,
        *,
        labels: tuple[str, str, str],
        status: int,
        error: str | None,
        latency_ms: float | None,
        ttft_ms: float | None,
    ) -> None:
        """A request is over; `labels` are application, route and arm, empty where it did not come so far."""
        self._requests.labels(*labels, str(status), error or "").inc()
        if latency_ms is not None:
            self._latency.labels(*labels).observe(latency_ms / 1000)
        if ttft_ms is not None:
            self._first_token.labels(*labels).observe(ttft_ms / 1000)

    def shadow_dropped(self) -> None:
        """A shadow for which there was no budget."""
        self._shadows_dropped.inc()


def exposition() -> bytes:
    """The text for Prometheus, of all workers; reads files, so it belongs into a thread."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # registers itself
    return generate_latest(registry)


def _said(name: str) -> str:
    return f"{name.replace('_', ' ').capitalize()}."
