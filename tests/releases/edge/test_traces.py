"""`POST /v1/traces` and `/v1/otlp/v1/traces` of a real edge process."""

import gzip
import json
from datetime import UTC, datetime
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from releases.trace_models import Trace
from tests.releases.edge.conftest import Gateways, gateways
from tests.releases.edge.processes import EdgeProcess

MIB = 1024 * 1024


def trace(number: int, **changes: Any) -> dict[str, Any]:
    started = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return {
        "trace_id": f"{number:032x}",
        "started_at": started,
        "request_id": f"request-{number}",
        "subject": "user-1",
        "input": {"messages": [{"role": "user", "content": "May affiliates use the licence?"}]},
        "output": "Yes.",
        "status": 200,
        "latency_ms": 12.5,
        "metadata": {},
        **changes,
    }


def test_a_batch_is_stored_and_its_bad_rows_are_named(edge: EdgeProcess, northgate: Gateways) -> None:
    rows = [trace(1), trace(2, trace_id="short"), trace(3)]
    answer = edge.call("/v1/traces", northgate.token, {"traces": rows})
    assert answer.status == 200, answer.body
    assert answer.json["accepted"] == 2
    assert [one["row"] for one in answer.json["rejected"]] == [1]
    assert set(answer.json["rejected"][0]) == {"row", "code", "detail"}
    assert Trace.objects.filter(organization=northgate.organization).count() == 2


def test_a_batch_that_is_sent_twice_is_stored_once(edge: EdgeProcess, northgate: Gateways) -> None:
    body = gzip.compress(json.dumps({"traces": [trace(1), trace(2)]}).encode())
    for _ in range(2):
        answer = edge.call("/v1/traces", northgate.token, body, Content_Encoding="gzip")
        assert answer.json == {"accepted": 2, "rejected": []}
    assert Trace.objects.filter(organization=northgate.organization).count() == 2


def test_traces_belong_to_the_organization_of_the_token(edge: EdgeProcess, northgate: Gateways) -> None:
    eastgate = gateways("eastgate")
    edge.call("/v1/traces", eastgate.token, {"traces": [trace(1)]})
    assert Trace.objects.filter(organization=northgate.organization).count() == 0
    assert Trace.objects.filter(organization=eastgate.organization).count() == 1


def test_a_bomb_is_refused_and_the_edge_goes_on(edge: EdgeProcess, northgate: Gateways) -> None:
    bomb = gzip.compress(bytes(400 * MIB), 1)
    assert len(bomb) < 4 * MIB
    for path in ("traces", "otlp/v1/traces"):
        answer = edge.call(f"/v1/{path}", northgate.token, bomb, Content_Encoding="gzip")
        assert (answer.status, answer.json["code"]) == (413, "too_large")
    assert edge.call("/v1/traces", northgate.token, {"traces": []}).json == {"accepted": 0, "rejected": []}


def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_read(edge: EdgeProcess, northgate: Gateways) -> None:
    answer = edge.call("/v1/traces", northgate.token, b"{}", Content_Length=str(32 * MIB + 1))
    assert (answer.status, answer.json["code"]) == (413, "too_large")


def test_what_is_no_batch_is_malformed(edge: EdgeProcess, northgate: Gateways) -> None:
    for body in (b"", b"{", b'{"traces": 1}', b'{"traces": [], "more": 1}'):
        answer = edge.call("/v1/traces", northgate.token, body)
        assert (answer.status, answer.json["code"]) == (400, "malformed"), body
    answer = edge.call("/v1/traces", northgate.token, b"{}", Content_Encoding="br")
    assert (answer.status, answer.json["code"]) == (415, "unsupported_media_type")


def test_an_exporter_is_answered_in_its_own_encoding(edge: EdgeProcess, northgate: Gateways) -> None:
    protobuf = gzip.compress(ExportTraceServiceRequest().SerializeToString())
    answer = edge.call(
        "/v1/otlp/v1/traces",
        northgate.token,
        protobuf,
        Content_Encoding="gzip",
        Content_Type="application/x-protobuf",
    )
    assert (answer.status, answer.headers["content-type"]) == (200, "application/x-protobuf")
    answer = edge.call("/v1/otlp/v1/traces", northgate.token, {"resourceSpans": []}, Content_Type="application/json")
    assert (answer.status, answer.json.get("partialSuccess", {})) == (200, {})
