"""What stays of a request: its trace for the control plane, its numbers for Prometheus, its line in the log."""

from typing import Final

from releases.gateway.calls import Call
from releases.gateway.control.traces import TraceQueue
from releases.gateway.logs import RequestLog
from releases.gateway.metrics import Metrics
from releases.gateway.sinks import ClientSink
from releases.gateway.tracing import trace_row

QUIET: Final = frozenset({"healthz", "readyz", "metrics"})  # asked every second by machines: no line in the log


class Recorder:
    """Called once at the end of every request and every shadow."""

    def __init__(self, *, queue: TraceQueue, metrics: Metrics, log: RequestLog, replica: str) -> None:
        self._queue, self._metrics, self._log, self._replica = queue, metrics, log, replica

    def keep(self, call: Call, sink: ClientSink | None = None) -> None:
        """Queue, count and log; a shadow has no sink."""
        if call.order is not None:
            row = trace_row(
                call.order,
                call.ended,
                started_at=call.started_at,
                client_settings=call.client_settings,
                replica=self._replica,
            )
            self._queue.put(row)
        if call.name not in QUIET:
            call.measure(self._metrics, sink.status if sink is not None else call.ended.status or 0)
            self._log.add(call.log_line(sink, self._replica))
