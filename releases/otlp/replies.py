"""Answers of OTLP/HTTP: ExportTraceServiceResponse and google.rpc.Status, in the encoding of the request."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

INVALID_ARGUMENT: Final = 3  # google.rpc.Code
TOLD: Final = 5  # reasons of rejected spans in one answer; the rest is counted


class Encoding(StrEnum):
    """How a body is written: its media type."""

    PROTOBUF = "application/x-protobuf"
    JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the edge answers."""

    status: int
    content_type: str
    body: bytes


def accepted(encoding: Encoding, reasons: list[str]) -> Reply:
    """200; `reasons` has one sentence per rejected span. Where there is none, the answer is empty, as OTLP asks."""
    message = _told(reasons)
    if encoding is Encoding.JSON:
        partial = {"rejectedSpans": str(len(reasons)), "errorMessage": message}
        return Reply(200, encoding, _json({"partialSuccess": partial} if reasons else {}))
    response = ExportTraceServiceResponse()
    if reasons:
        response.partial_success.rejected_spans = len(reasons)
        response.partial_success.error_message = message
    return Reply(200, encoding, response.SerializeToString())


def refused(status: int, encoding: Encoding, message: str) -> Reply:
    """An error as google.rpc.Status."""
    if encoding is Encoding.JSON:
        return Reply(status, encoding, _json({"code": INVALID_ARGUMENT, "message": message}))
    # {1: whole number, 2: text} on the wire, as google.rpc.Status, whose class comes with no package that runs us
    same_bytes = ExportTracePartialSuccess(rejected_spans=INVALID_ARGUMENT, error_message=message)
    return Reply(status, encoding, same_bytes.SerializeToString())


def _told(reasons: list[str]) -> str:
    distinct = list(dict.fromkeys(reasons))
    more = len(distinct) - TOLD
    return " ".join(distinct[:TOLD]) + (f" And {more} more reasons." if more > 0 else "")


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
