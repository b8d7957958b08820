"""The exporter of the OpenTelemetry SDK, unmodified, sends to us over HTTP, with gzip and without."""

import gzip
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Status, StatusCode

from gates.slices.services import create_slice
from tests.releases.measuring.rows import registered
from tests.releases.otlp.made import CHAT, END, START
from tests.releases.otlp.receiver import Receiver
from tests.releases.scene import Scene

SECONDS = 10


class Edge:
    """A loopback server that answers one request, in the test's own thread and so in its transaction."""

    def __init__(self, receiver: Receiver) -> None:
        edge = self
        self.encodings: list[str | None] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                edge.encodings.append(self.headers["Content-Encoding"])
                plain = gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body
                reply = receiver.takes_bytes(plain, self.headers["Content-Type"])
                self.send_response(reply.status)
                self.send_header("Content-Type", reply.content_type)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
                """Keep the tests' output clean."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self._server.timeout = SECONDS

    def gets(self, spans: list[ReadableSpan], compression: Compression) -> SpanExportResult:
        """What the exporter says after it has sent these spans here."""
        url = f"http://127.0.0.1:{self._server.server_address[1]}/v1/otlp/v1/traces"
        exporter = OTLPSpanExporter(endpoint=url, compression=compression, timeout=SECONDS)
        with ThreadPoolExecutor(1) as threads:
            sent = threads.submit(exporter.export, spans)
            self._server.handle_request()
            result = sent.result(SECONDS)
        exporter.shutdown()  # type: ignore[no-untyped-call]  # without types there
        return result

    def close(self) -> None:
        """Give the port back."""
        self._server.server_close()


@pytest.fixture
def edge(receiver: Receiver) -> Iterator[Edge]:
    """Where the exporter sends to."""
    made = Edge(receiver)
    yield made
    made.close()


def recorded(version: str, **attributes: str) -> list[ReadableSpan]:
    """An agent's span and the failed and the good call of a model inside, as the SDK records them."""
    kept = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({"service.name": "qa", "service.version": version}))
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracer = provider.get_tracer("tests")
    agent: dict[str, str | int] = {"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 310}
    with tracer.start_as_current_span("agent", attributes=agent, start_time=START, end_on_exit=False) as outer:
        failed = tracer.start_span("chat", attributes={"gen_ai.operation.name": "chat"}, start_time=START)
        failed.set_attribute("error.type", "timeout")
        failed.set_status(Status(StatusCode.ERROR))
        failed.end(END)
        tracer.start_span("chat", attributes={**CHAT, **attributes}, start_time=START).end(END)
    outer.end(END)
    provider.shutdown()
    return list(kept.get_finished_spans())


@pytest.mark.parametrize(("compression", "header"), [(Compression.NoCompression, None), (Compression.Gzip, "gzip")])
def test_the_exporter_of_the_sdk_is_understood(
    northgate: Scene, receiver: Receiver, edge: Edge, compression: Compression, header: str | None
) -> None:
    release = registered(northgate)
    assert edge.gets(recorded(release.name), compression) is SpanExportResult.SUCCESS
    assert edge.encodings == [header]
    good, failed = sorted(receiver.rows(), key=lambda row: row.error is not None)
    assert (good.request_id, good.input_tokens, good.latency_ms) == ("chatcmpl-1", 310, 812.5)
    assert (failed.error, failed.input_tokens, failed.model) == ("timeout", None, None)
    assert {good.release, failed.release} == {release.manifest_sha256}
    assert receiver.body(good)["metadata"]["service.name"] == "qa"


def test_a_span_says_what_slices_match(northgate: Scene, receiver: Receiver, edge: Edge) -> None:
    create_slice(actor=northgate.actor, slug="patents", match={"metadata": {"topic": "patents"}})
    release = registered(northgate)
    edge.gets(recorded(release.name, **{"relcontrol.metadata.topic": "patents"}), Compression.Gzip)
    found = {row.error: (row.release, row.slice) for row in receiver.rows()}
    assert found == {None: (release.manifest_sha256, "patents"), "timeout": (release.manifest_sha256, None)}
