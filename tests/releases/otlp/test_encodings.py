"""Both encodings of OTLP give the same spans; what is not OTLP is malformed, whole."""

import json
import struct
from typing import Any

import pytest

from releases.otlp import json_mapping, protobuf
from releases.otlp.span import Event, MalformedError
from tests.releases.otlp import made
from tests.releases.otlp.made import END, START, TRACE, span

VALUES: dict[str, Any] = {
    "text": "größer 😀",
    "whole": 2**53 + 1,
    "negative": -1,
    "real": 0.25,
    "truth": True,
    "list": ["a", 1, [False]],
    "object": {"role": "user", "parts": [{"type": "text"}]},
}
# From the examples of the OTLP specification (opentelemetry-proto, examples/trace.json).
EXAMPLE = b"""
{"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "my.service"}}]},
  "scopeSpans": [{"scope": {"name": "my.library", "version": "1.0.0", "attributes": [
      {"key": "my.scope.attribute", "value": {"stringValue": "some scope attribute"}}]},
    "spans": [{"traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "EEE19B7EC3C1B174",
      "parentSpanId": "EEE19B7EC3C1B173", "name": "I'm a server span",
      "startTimeUnixNano": "1544712660000000000", "endTimeUnixNano": "1544712661000000000", "kind": 2,
      "attributes": [{"key": "my.span.attr", "value": {"stringValue": "some value"}}]}]}]}]}
"""


def test_both_encodings_give_the_same_spans() -> None:
    events = [Event("gen_ai.choice", START + 5, {"index": 0})]
    spans = [span(VALUES, parent_id="00000000000000aa", failed=True, events=events), span(span_id="00000000000000ab")]
    resource = {"service.name": "qa", "text": "the span wins"}
    read = protobuf.read(made.protobuf(*spans, resource=resource))
    assert read == json_mapping.read(made.as_json(*spans, resource=resource))
    assert read[0].attributes == {"gen_ai.operation.name": "chat", "service.name": "qa"} | VALUES
    assert (read[0].failed, read[1].failed, read[0].events, read[0].end) == (True, False, events, END)


def test_the_example_of_the_specification_is_read() -> None:
    (read,) = json_mapping.read(EXAMPLE)
    assert read.trace_id == TRACE
    assert (read.span_id, read.parent_id) == ("eee19b7ec3c1b174", "eee19b7ec3c1b173")
    assert (read.start, read.end) == (1544712660000000000, 1544712661000000000)
    assert read.attributes == {"service.name": "my.service", "my.span.attr": "some value"}


def test_unknown_fields_are_ignored() -> None:
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [{"unheard": {}}], "of": 1}]}]}).encode()
    assert len(json_mapping.read(body)) == 1


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_that_json_has_not_become_texts(number: float) -> None:
    (read,) = protobuf.read(made.protobuf(span({"odd": number})))
    assert read.attributes["odd"] == str(number)


def test_bytes_are_base64() -> None:
    (read,) = protobuf.read(made.protobuf(span({"raw": b"\x00\xff"})))
    assert read.attributes["raw"] == "AP8="


@pytest.mark.parametrize("cut", [1, 7, 40])
def test_protobuf_that_is_cut_off_is_malformed(cut: int) -> None:
    with pytest.raises(MalformedError, match="ExportTraceServiceRequest"):
        protobuf.read(made.protobuf(span())[:-cut])


@pytest.mark.parametrize("body", [b"garbage", b"\xff" * 40, b'{"resourceSpans": []}', struct.pack("<Q", 2**63)])
def test_what_is_no_protobuf_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedError):
        protobuf.read(body)


def nested(depth: int) -> bytes:
    """A request with an attribute that nests so deep."""
    value = '{"arrayValue": {"values": [' * depth + "]}}" * depth
    told = '[{"key": "a", "value": ' + value + "}]"
    return ('{"resourceSpans": [{"resource": {"attributes": ' + told + "}}]}").encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"\xff",
        b"{",
        b'{"resourceSpans": 1}',
        b'{"resourceSpans": [1]}',
        b'{"resourceSpans": [{"resource": []}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"attributes": [{"key": 1}]}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": "soon"}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": 1.5}]}]}]}',
        b'{"resourceSpans": [{"resource": {"attributes": [{"key": "a", "value": {"doubleValue": "x"}}]}}]}',
        b'{"resourceSpans": [{"resource": {"attributes": [{"key": "a", "value": {"doubleValue": NaN}}]}}]}',
        b'{"resourceSpans": [{"resource": {"attributes": [{"key": "a", "value": {"stringValue": "\\ud800"}}]}}]}',
        b'{"resourceSpans": [{"resource": {"attributes": [{"key": "a", "value": {"boolValue": "yes"}}]}}]}',
        nested(60),
        nested(100_000),
    ],
)
def test_json_of_another_shape_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedError):
        json_mapping.read(body)


def test_brackets_in_texts_are_no_nesting() -> None:
    text = "[" * 500 + '"' + "{" * 500
    (read,) = json_mapping.read(made.as_json(span({"text": text})))
    assert read.attributes["text"] == text
