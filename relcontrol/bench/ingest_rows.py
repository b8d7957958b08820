"""Traces as gateways and exporters send them: a legal question with its answer, one of many users each."""

import json
import random
import secrets
from datetime import datetime, timedelta
from typing import Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from relcontrol.bench.chaos_stage import Stage
from relcontrol.bench.chaos_traffic import TOPIC
from releases.gateway.control.traces import BATCH_ROWS, packed

USERS: Final = 20_000
QUESTION: Final = "May affiliates of the licensee use the software in territories that the grant does not name? " * 4
ANSWER: Final = "They may where the grant extends to affiliates; a territory that it does not name is not granted. " * 8
SPANS: Final = 512  # an exporter's batch
NANOSECONDS: Final = 1_000_000_000
CALL: Final[dict[str, str | int | float]] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gemma-4",
    "gen_ai.response.model": "gemma-4-e2b",
    "gen_ai.request.temperature": 0.2,
    "gen_ai.usage.input_tokens": 310,
    "gen_ai.usage.output_tokens": 120,
    "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": QUESTION}]}]),
    "gen_ai.output.messages": json.dumps(
        [{"role": "assistant", "parts": [{"type": "text", "content": ANSWER}], "finish_reason": "stop"}]
    ),
}


def batch(stage: Stage, release: str, at: datetime, count: int = BATCH_ROWS) -> list[dict[str, Any]]:
    """The rows of one batch of a gateway, started in the second before `at`."""
    return [_row(stage, release, at - timedelta(microseconds=random.randrange(1_000_000))) for _ in range(count)]  # noqa: S311 - no secret


def gateway_body(rows: list[dict[str, Any]]) -> bytes:
    """A batch as a gateway sends it: compressed."""
    return packed([json.dumps(row, separators=(",", ":")).encode() for row in rows]).body


def otlp_body(at: datetime, count: int = SPANS) -> bytes:
    """A request of an OTLP exporter with so many calls of a model."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.extend([_pair("service.name", "legal-assistant"), _pair("service.version", "r1")])
    resource.scope_spans.add().spans.extend(_span(at) for _ in range(count))
    body: bytes = request.SerializeToString()
    return body


def _row(stage: Stage, release: str, at: datetime) -> dict[str, Any]:
    return {
        "trace_id": secrets.token_hex(16),
        "started_at": at.isoformat(timespec="microseconds"),
        "request_id": f"req_{secrets.token_hex(12)}",
        "release": release,
        "route": stage.route.pk,
        "rollout": None,
        "arm": "stable",
        "generation": 1,
        "subject": _user(),
        "input": {"messages": [{"role": "user", "content": QUESTION}], "temperature": 0.2},
        "output": {"content": ANSWER, "tool_calls": None, "refusal": None, "finish_reason": "stop"},
        "status": 200,
        "error": None,
        "ttft_ms": random.uniform(50, 500),  # noqa: S311 - no secret
        "latency_ms": random.uniform(500, 3000),  # noqa: S311 - no secret
        "input_tokens": 310,
        "output_tokens": 120,
        "metadata": {"topic": TOPIC, "locale": "en-GB"},
        "fingerprint": release,
        "model": "Divinci-AI/gemma-4-e2b",
        "replica": "gateway/1",
    }


def _span(at: datetime) -> Span:
    start = int(at.timestamp() * NANOSECONDS) - random.randrange(NANOSECONDS)  # noqa: S311 - no secret
    told: dict[str, str | int | float] = {
        **CALL,
        "gen_ai.conversation.id": _user(),
        "gen_ai.response.id": secrets.token_hex(12),
    }
    reasons = AnyValue(array_value=ArrayValue(values=[AnyValue(string_value="stop")]))
    return Span(
        trace_id=secrets.token_bytes(16),
        span_id=secrets.token_bytes(8),
        name="chat gemma-4",
        start_time_unix_nano=start,
        end_time_unix_nano=start + NANOSECONDS,
        attributes=[
            *(_pair(name, value) for name, value in told.items()),
            KeyValue(key="gen_ai.response.finish_reasons", value=reasons),
        ],
    )


def _pair(name: str, value: str | float) -> KeyValue:
    match value:
        case str():
            return KeyValue(key=name, value=AnyValue(string_value=value))
        case int():
            return KeyValue(key=name, value=AnyValue(int_value=value))
        case _:
            return KeyValue(key=name, value=AnyValue(double_value=value))


def _user() -> str:
    return f"tenant-12:user-{random.randrange(USERS)}"  # noqa: S311 - no secret
