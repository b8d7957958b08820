"""OTLP in JSON (the proto3 mapping as OTLP changes it): ids in hex, 64-bit numbers as texts, enumerations as numbers.

What has the wrong shape makes the whole request malformed; ids and times that are wrong are judged per span, later.
Unknown fields are ignored, as the OTLP specification asks.
"""

from collections.abc import Iterator
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Status

from releases.otlp.span import Attributes, Event, MalformedError, Span, finite
from releases.otlp.strict_json import parse

FAILED = Status.STATUS_CODE_ERROR


def read(body: bytes) -> list[Span]:
    """Every span of an ExportTraceServiceRequest, in its order."""
    try:
        request = parse(body.decode())
    except ValueError as error:
        raise MalformedError(f"The body is not JSON in UTF-8: {error}") from error
    if not isinstance(request, dict):
        raise MalformedError('The body must be a JSON object: {"resourceSpans": […]}')
    return list(_spans(request))


def _spans(request: dict[str, Any]) -> Iterator[Span]:
    for of_resource in _objects(request, "resourceSpans"):
        resource = _attributes(_object(of_resource, "resource"))
        for of_scope in _objects(of_resource, "scopeSpans"):
            for message in _objects(of_scope, "spans"):
                yield _span(message, resource)


def _span(message: dict[str, Any], resource: Attributes) -> Span:
    return Span(
        trace_id=_text(message, "traceId").lower(),
        span_id=_text(message, "spanId").lower(),
        parent_id=_text(message, "parentSpanId").lower(),
        name=_text(message, "name"),
        start=_whole(message, "startTimeUnixNano"),
        end=_whole(message, "endTimeUnixNano"),
        failed=_object(message, "status").get("code") in (FAILED, "STATUS_CODE_ERROR"),
        attributes=resource | _attributes(message),
        events=[
            Event(_text(one, "name"), _whole(one, "timeUnixNano"), _attributes(one))
            for one in _objects(message, "events")
        ],
    )


def _attributes(holder: dict[str, Any], field: str = "attributes") -> Attributes:
    return {_text(pair, "key"): _value(_object(pair, "value")) for pair in _objects(holder, field)}


def _value(value: dict[str, Any]) -> Any:
    if "intValue" in value:
        return _whole(value, "intValue")
    if "doubleValue" in value:
        return _number(value["doubleValue"])
    if "arrayValue" in value:
        return [_value(item) for item in _objects(_object(value, "arrayValue"), "values")]
    if "kvlistValue" in value:
        return _attributes(_object(value, "kvlistValue"), "values")
    if "boolValue" in value:
        if not isinstance(value["boolValue"], bool):
            raise MalformedError("boolValue must be true or false")
        return value["boolValue"]
    text = "bytesValue" if "bytesValue" in value else "stringValue"
    return _text(value, text) if text in value else None


def _number(value: Any) -> float | str:
    """A doubleValue: a number, or a text such as "NaN"."""
    try:
        return finite(float(value))
    except (TypeError, ValueError, OverflowError) as error:
        raise MalformedError("doubleValue must be a number") from error


def _whole(holder: dict[str, Any], field: str) -> int:
    value = holder.get(field)
    if value is None:
        return 0
    try:
        return int(value) if isinstance(value, str | int) else _no_fraction(value)
    except ValueError as error:
        raise MalformedError(f"{field} must be a whole number, as a text or a number") from error


def _no_fraction(value: Any) -> int:
    if not isinstance(value, float) or not value.is_integer():
        raise ValueError("not whole")
    return int(value)


def _text(holder: dict[str, Any], field: str) -> str:
    value = holder.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise MalformedError(f"{field} must be a text")
    return value


def _object(holder: dict[str, Any], field: str) -> dict[str, Any]:
    value = holder.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MalformedError(f"{field} must be an object")
    return value


def _objects(holder: dict[str, Any], field: str) -> list[dict[str, Any]]:
    value = holder.get(field)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise MalformedError(f"{field} must be a list of objects")
    return value
