"""One request of an exporter in, one answer out, in its own encoding."""

import json
from datetime import timedelta

import pytest
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # it brings no types
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from releases.otlp.span import Span
from tests.releases.otlp.made import CHAT, as_json, numbered, protobuf, span
from tests.releases.otlp.receiver import JSON, NOW, PROTOBUF, Receiver
from tests.releases.scene import Scene


def test_a_span_is_stored_with_its_body_sealed(receiver: Receiver) -> None:
    assert receiver.takes(span(CHAT)).status == 200
    (row,) = receiver.rows()
    assert (row.request_id, row.model, row.input_tokens, row.latency_ms) == ("chatcmpl-1", "gemma-4-e2b", 310, 812.5)
    assert row.body is not None
    assert b"affiliates" not in bytes(row.body)
    assert receiver.body(row)["output"]["finish_reason"] == "stop"


def test_full_success_is_an_empty_answer_in_protobuf(receiver: Receiver) -> None:
    reply = receiver.takes(span(CHAT))
    assert (reply.status, reply.content_type, reply.body) == (200, PROTOBUF, b"")


def test_full_success_is_an_empty_object_in_json(receiver: Receiver) -> None:
    reply = receiver.takes_bytes(as_json(span(CHAT)), "application/json; charset=utf-8")
    assert (reply.status, reply.content_type, json.loads(reply.body)) == (200, JSON, {})
    assert len(receiver.rows()) == 1


def test_an_empty_request_is_taken(receiver: Receiver) -> None:
    assert receiver.takes_bytes(b"").status == 200
    assert receiver.takes_bytes(b"{}", JSON).status == 200


def test_spans_that_are_no_calls_are_accepted_and_kept_nowhere(receiver: Receiver) -> None:
    reply = receiver.takes(span({"gen_ai.operation.name": "invoke_agent"}))
    assert (reply.status, reply.body, receiver.rows()) == (200, b"", [])


def test_a_request_that_is_sent_again_is_stored_once(receiver: Receiver) -> None:
    body = protobuf(span(CHAT), span(CHAT, span_id=numbered(7)))
    replies = [receiver.takes_bytes(body) for _ in range(2)]
    assert ([reply.body for reply in replies], len(receiver.rows())) == ([b"", b""], 2)


def _bad_and_good() -> tuple[Span, ...]:
    return (
        span(CHAT | {"gen_ai.usage.input_tokens": -1}, span_id=numbered(1)),
        span(CHAT, span_id=numbered(2)),
        span(CHAT, span_id=numbered(3), start=0),
    )


def test_a_bad_row_is_rejected_alone_and_told_in_protobuf(receiver: Receiver) -> None:
    partial = ExportTraceServiceResponse.FromString(receiver.takes(*_bad_and_good()).body).partial_success
    assert (partial.rejected_spans, len(receiver.rows())) == (2, 1)
    assert f"Span {numbered(1)}: input_tokens:" in partial.error_message
    assert f"Span {numbered(3)}: its times" in partial.error_message


def test_a_bad_row_is_told_in_json_with_the_count_as_a_text(receiver: Receiver) -> None:
    partial = json.loads(receiver.takes_bytes(as_json(*_bad_and_good()), JSON).body)["partialSuccess"]
    assert partial["rejectedSpans"] == "2"
    assert f"Span {numbered(1)}: input_tokens:" in partial["errorMessage"]


def test_a_span_from_long_ago_is_rejected(receiver: Receiver) -> None:
    reply = receiver.takes_bytes(protobuf(span(CHAT)), now=NOW + timedelta(days=4000))
    assert ExportTraceServiceResponse.FromString(reply.body).partial_success.rejected_spans == 1
    assert receiver.rows() == []


def test_of_many_reasons_five_are_told_and_the_rest_is_counted(receiver: Receiver) -> None:
    reply = receiver.takes(*(span(span_id=numbered(number), start=0) for number in range(1, 9)))
    partial = ExportTraceServiceResponse.FromString(reply.body).partial_success
    assert partial.rejected_spans == 8
    assert partial.error_message.count("its times") == 5
    assert partial.error_message.endswith("And 3 more reasons.")


@pytest.mark.parametrize("body", [b"garbage", protobuf(span(CHAT))[:-9]])
def test_what_is_no_protobuf_is_400_as_a_status_of_google_rpc(receiver: Receiver, body: bytes) -> None:
    reply = receiver.takes_bytes(body)
    status = Status.FromString(reply.body)
    assert (reply.status, reply.content_type, status.code) == (400, PROTOBUF, 3)
    assert "ExportTraceServiceRequest" in status.message
    assert receiver.rows() == []


def test_what_is_no_json_is_400_as_a_status_in_json(receiver: Receiver) -> None:
    reply = receiver.takes_bytes(b'{"resourceSpans": 1}', JSON)
    told = json.loads(reply.body)
    assert (reply.status, reply.content_type, told) == (
        400,
        JSON,
        {"code": 3, "message": "resourceSpans must be a list of objects"},
    )


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/grpc", "multipart/form-data"])
def test_another_type_is_415_and_told_what_to_send(receiver: Receiver, content_type: str) -> None:
    reply = receiver.takes_bytes(protobuf(span(CHAT)), content_type)
    assert reply.status == 415
    assert "application/x-protobuf or application/json" in json.loads(reply.body)["message"]


def test_the_spans_of_one_organization_are_no_rows_of_another(receiver: Receiver, eastgate: Scene) -> None:
    receiver.takes(span(CHAT))
    assert Receiver(eastgate.organization).rows() == []
