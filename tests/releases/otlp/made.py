"""Requests of exporters, as bytes: spans with what a test says of them and plain values for the rest."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Message
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from releases.otlp.span import Event, Span

TRACE = "5b8efff798038103d269b633813fc60c"
SPAN = "eee19b7ec3c1b174"
START = 1_790_000_000_123_456_789
END = START + 812_500_000
STARTED_AT = "2026-09-21T14:13:20.123456Z"

CHAT: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gemma-4",
    "gen_ai.response.model": "gemma-4-e2b",
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.request.temperature": 0.2,
    "gen_ai.usage.input_tokens": 310,
    "gen_ai.usage.output_tokens": 120,
    "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.conversation.id": "conversation-7",
    "gen_ai.input.messages": json.dumps(
        [{"role": "user", "parts": [{"type": "text", "content": "May affiliates use the licence? " * 8}]}]
    ),
    "gen_ai.output.messages": json.dumps(
        [
            {
                "role": "assistant",
                "parts": [{"type": "text", "content": "They may, where the grant says so. " * 8}],
                "finish_reason": "stop",
            }
        ]
    ),
}


def span(attributes: Mapping[str, Any] | None = None, *, events: Sequence[Event] = (), **changes: Any) -> Span:
    """A span of a chat that nothing is known of but these attributes."""
    made: dict[str, Any] = {
        "trace_id": TRACE,
        "span_id": SPAN,
        "parent_id": "",
        "name": "chat",
        "start": START,
        "end": END,
        "failed": False,
        "attributes": {"gen_ai.operation.name": "chat"} | dict(attributes or {}),
        "events": list(events),
    }
    return Span(**(made | changes))


def numbered(number: int) -> str:
    """The span id with this number."""
    return f"{number:016x}"


def protobuf(*spans: Span, resource: Mapping[str, Any] | None = None) -> bytes:
    """An ExportTraceServiceRequest with these spans."""
    request = ExportTraceServiceRequest()
    of_resource = request.resource_spans.add()
    of_resource.resource.attributes.extend(_pairs(resource or {}))
    of_resource.scope_spans.add().spans.extend(_message(one) for one in spans)
    body: bytes = request.SerializeToString()
    return body


def _message(of: Span) -> Message:
    return Message(
        trace_id=bytes.fromhex(of.trace_id),
        span_id=bytes.fromhex(of.span_id),
        parent_span_id=bytes.fromhex(of.parent_id),
        name=of.name,
        start_time_unix_nano=of.start,
        end_time_unix_nano=of.end,
        attributes=_pairs(of.attributes),
        status=Status(code=Status.STATUS_CODE_ERROR if of.failed else Status.STATUS_CODE_UNSET),
        events=[
            Message.Event(name=one.name, time_unix_nano=one.at, attributes=_pairs(one.attributes)) for one in of.events
        ],
    )


def _pairs(attributes: Mapping[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=name, value=_value(value)) for name, value in attributes.items()]


def _value(value: Any) -> AnyValue:
    made = AnyValue()
    match value:
        case bool():
            made.bool_value = value
        case int():
            made.int_value = value
        case float():
            made.double_value = value
        case bytes():
            made.bytes_value = value
        case str():
            made.string_value = value
        case list():
            made.array_value.values.extend(_value(item) for item in value)
        case dict():
            made.kvlist_value.values.extend(_pairs(value))
    return made


def as_json(*spans: Span, resource: Mapping[str, Any] | None = None) -> bytes:
    """The same request in JSON."""
    told = {
        "resource": {"attributes": _json_pairs(resource or {})},
        "scopeSpans": [{"spans": [_told(s) for s in spans]}],
    }
    return json.dumps({"resourceSpans": [told]}).encode()


def _told(of: Span) -> dict[str, Any]:
    return {
        "traceId": of.trace_id.upper(),  # either case is right
        "spanId": of.span_id,
        "parentSpanId": of.parent_id,
        "name": of.name,
        "startTimeUnixNano": str(of.start),
        "endTimeUnixNano": str(of.end),
        "attributes": _json_pairs(of.attributes),
        "status": {"code": 2} if of.failed else {},
        "events": [
            {"name": one.name, "timeUnixNano": str(one.at), "attributes": _json_pairs(one.attributes)}
            for one in of.events
        ],
    }


def _json_pairs(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": name, "value": _json_value(value)} for name, value in attributes.items()]


def _json_value(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case list():
            return {"arrayValue": {"values": [_json_value(item) for item in value]}}
        case dict():
            return {"kvlistValue": {"values": _json_pairs(value)}}
        case _:
            return {"stringValue": value}
