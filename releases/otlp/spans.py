"""Spans to rows of traces: which spans count, and what a row says of one (gateway.md "Traces"). Pure.

One call of a model is one row. Agents and chains repeat what the calls below them used, so only the innermost calls
of a request count; which spans are inside which is known for spans that come together.

A row's `trace_id` is made of the span's trace id and span id: calls of one OTel trace are rows of their own, and a span
that is sent again is the same row. The ids as sent stand in the metadata, `otel.trace_id` and `otel.span_id`.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from releases.otlp import attributes as names
from releases.otlp.attributes import number, text, told
from releases.otlp.messages import answered, asked, with_details
from releases.otlp.outcome import error_of, status_of
from releases.otlp.span import SPAN_ID_DIGITS, TRACE_ID_DIGITS, Attributes, Span
from releases.otlp.strict_json import parsed

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)  # texts are made of it, ending in Z
PER_MICROSECOND: Final = 1_000
PER_MILLISECOND: Final = 1_000_000
LAST: Final = 2**64  # times are unsigned 64-bit numbers
HEX: Final = frozenset("0123456789abcdef")
MAX_REQUEST_ID: Final = 100
MAX_MODEL: Final = 300
MAX_REPLICA: Final = 100
GUESSES: Final = ("service_version", "variant")
METADATA_NAMES: Final = ("service.name", "deployment.environment.name", names.OPERATION)

Row = dict[str, Any]


class UnusableSpanError(ValueError):
    """This span cannot become a row: rejected, with the reason; the others of the request are taken."""


@dataclass(slots=True)
class Draft:
    """A row that lacks its release, and what the span calls that release.

    `release` was said to relcontrol and must name one; the first of `guesses` that names one is taken.
    """

    row: Row
    release: str | None
    guesses: list[str]


def calls(spans: Sequence[Span]) -> list[Span]:
    """The spans that count: calls of a model without another such call inside."""
    found = [span for span in spans if names.is_call(span.attributes)]
    if len(found) == len(spans) == 1:
        return found
    parents = {(span.trace_id, span.span_id): span.parent_id for span in spans}
    outer: set[tuple[str, str]] = set()
    for span in found:
        above = span.parent_id
        while above and (key := (span.trace_id, above)) not in outer:
            outer.add(key)
            above = parents.get(key, "")
    return [span for span in found if (span.trace_id, span.span_id) not in outer]


def draft(span: Span) -> Draft:
    """The row of a call; UnusableSpanError where its ids or times are not those of a span."""
    _check(span)
    attributes = with_details(span.attributes, span.events)
    said = told(attributes)
    status = status_of(said)
    row = {
        "trace_id": hashlib.sha256(bytes.fromhex(span.trace_id + span.span_id)).hexdigest()[:TRACE_ID_DIGITS],
        "started_at": _moment(span.start),
        "request_id": _request_id(span, said),
        "release": None,
        "route": text(said.get("route")),
        "rollout": text(said.get("rollout")),
        "arm": text(said.get("arm")),
        "generation": number(said.get("generation")),
        "subject": text(said.get("subject")) or span.trace_id,
        "input": asked(attributes, said, span.events),
        "output": answered(attributes, said, span.events),
        "status": status,
        "error": error_of(said, span.events, status, failed=span.failed),
        "ttft_ms": _first_chunk(span, said),
        "latency_ms": (span.end - span.start) / PER_MILLISECOND if span.end >= span.start else None,
        "input_tokens": number(said.get("input_tokens")),
        "output_tokens": number(said.get("output_tokens")),
        "metadata": _metadata(span, attributes, said),
        "fingerprint": text(said.get("fingerprint")),
        "model": _cut(said.get("model", said.get("request_model")), MAX_MODEL),
        "replica": _cut(said.get("replica"), MAX_REPLICA),
    }
    guesses = [str(said[name]) for name in GUESSES if name in said]
    return Draft(row, text(said.get("release")), guesses)


def _check(span: Span) -> None:
    for name, value, digits in (("traceId", span.trace_id, TRACE_ID_DIGITS), ("spanId", span.span_id, SPAN_ID_DIGITS)):
        if len(value) != digits or not HEX.issuperset(value) or not value.strip("0"):
            raise UnusableSpanError(f"{name} {value[:40]!r} is not {digits // 2} bytes that are not all zero.")
    if not 0 < span.start < LAST or not 0 <= span.end < LAST:
        raise UnusableSpanError(f"Span {span.span_id}: its times are not nanoseconds since 1970.")


def _moment(nanoseconds: int) -> str:
    at = EPOCH + timedelta(microseconds=nanoseconds // PER_MICROSECOND)
    return at.isoformat(timespec="microseconds") + "Z"


def _cut(value: Any, limit: int) -> str | None:
    """What the surroundings named at length does not cost the row."""
    return None if value is None else str(value)[:limit]


def _request_id(span: Span, said: Attributes) -> str:
    """What feedback may name: the request's id, else the answer's, else the span itself."""
    given = text(said.get("request_id"))
    return given if given is not None and len(given) <= MAX_REQUEST_ID else f"{span.trace_id}-{span.span_id}"


def _first_chunk(span: Span, said: Attributes) -> float | None:
    seconds = number(said.get("first_chunk_seconds"))
    if seconds is not None:
        return seconds * 1000.0
    if not span.events:
        return None
    moments = [event.at for event in span.events if event.name in names.FIRST_CHUNK_EVENTS and event.at >= span.start]
    return (min(moments) - span.start) / PER_MILLISECOND if moments else None


def _metadata(span: Span, attributes: Attributes, said: Attributes) -> dict[str, Any]:
    """What slices may match: `relcontrol.metadata.*`, OpenInference's `metadata`, and where the span comes from."""
    given = said.get("metadata")
    given = parsed(given) if isinstance(given, str) else given
    found = dict(given) if isinstance(given, dict) else {}
    prefix = names.METADATA_PREFIX
    found |= {name[len(prefix) :]: value for name, value in attributes.items() if name.startswith(prefix)}
    found |= {name: attributes[name] for name in METADATA_NAMES if name in attributes}
    if "provider" in said:
        found["gen_ai.provider.name"] = str(said["provider"])
    return found | {"otel.trace_id": span.trace_id, "otel.span_id": span.span_id}
