"""`POST /v1/otlp/v1/traces`: one OTLP/HTTP request in, rows of traces stored, one answer out (gateway.md "Traces").

Spans that are no calls of a model are accepted and kept nowhere. A span that cannot become a row is rejected alone and
told of in `partial_success`. What is not OTLP is 400, as google.rpc.Status; both in the encoding of the request.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from relcontrol.accounts.models import Organization
from releases.otlp import json_mapping, protobuf
from releases.otlp.placing import place
from releases.otlp.releases_named import TooManyNamesError
from releases.otlp.replies import Encoding, Reply, accepted, refused
from releases.otlp.span import MalformedError, Span
from releases.otlp.spans import Draft, UnusableSpanError, calls, draft
from releases.traces.ingest import store

READERS: Final[Mapping[Encoding, Callable[[bytes], list[Span]]]] = {
    Encoding.PROTOBUF: protobuf.read,
    Encoding.JSON: json_mapping.read,
}


def receive(organization: Organization, content_type: str, body: bytes, now: datetime) -> Reply:
    """Answer one request of an exporter; `body` is what stands after any gzip was undone."""
    try:
        encoding = Encoding(content_type.partition(";")[0].strip().lower())
    except ValueError:
        taken = " or ".join(Encoding)
        return refused(415, Encoding.JSON, f"Send {taken} as Content-Type, not {content_type[:80]!r}.")
    try:
        drafts, unusable = drafted(READERS[encoding](body))
        rows, unplaced = place(organization, drafts)
    except (MalformedError, TooManyNamesError) as error:
        return refused(400, encoding, str(error))
    stored = store(organization, rows, now=now)
    refusals = [f"Span {_span_id(rows[one.row])}: {one.detail}" for one in stored.rejected]
    return accepted(encoding, [*unusable, *unplaced, *refusals])


def drafted(spans: list[Span]) -> tuple[list[Draft], list[str]]:
    """Drafts of the calls among these spans, and one reason for each that cannot become a row."""
    drafts: list[Draft] = []
    reasons: list[str] = []
    for span in calls(spans):
        try:
            drafts.append(draft(span))
        except UnusableSpanError as error:
            reasons.append(str(error))
    return drafts, reasons


def _span_id(row: Mapping[str, Mapping[str, str]]) -> str:
    return row["metadata"]["otel.span_id"]
