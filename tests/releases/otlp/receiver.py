"""An organization's end of OTLP, as tests see it: what it takes, and what is stored then."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from relcontrol.accounts.models import Organization
from releases.otlp.receiving import receive
from releases.otlp.replies import Reply
from releases.otlp.span import Span
from releases.trace_models import Trace
from releases.traces.bodies import open_body
from tests.releases.otlp import made

NOW = datetime.fromtimestamp(made.START // 10**9, UTC) + timedelta(minutes=1)
PROTOBUF = "application/x-protobuf"
JSON = "application/json"


@dataclass(frozen=True)
class Receiver:
    """The organization's end of OTLP, a minute after the spans started."""

    organization: Organization

    def takes(self, *spans: Span, **resource: Any) -> Reply:
        """Receive these spans in protobuf; `__` in names stands for a dot."""
        told = {name.replace("__", "."): value for name, value in resource.items()}
        return self.takes_bytes(made.protobuf(*spans, resource=told))

    def takes_bytes(self, body: bytes, content_type: str = PROTOBUF, now: datetime = NOW) -> Reply:
        """Receive this body."""
        return receive(self.organization, content_type, body, now)

    def rows(self) -> list[Trace]:
        """What is stored, in the order of names of requests."""
        return list(Trace.objects.filter(organization=self.organization).order_by("request_id"))

    def body(self, row: Trace) -> Any:
        """What a row's body says."""
        return open_body(self.organization.pk, bytes(row.subject), None if row.body is None else bytes(row.body))
