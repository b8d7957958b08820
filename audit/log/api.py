"""REST: the log's signed head, the proof of a receipt, and that the log only grew; all as text (C2SP, RFC 6962)."""

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.request import Request

from audit.log.heads import consistency, proof_of, signed_head
from audit.log.merkle import ProofError
from audit.log.nodes import MissingNodeError
from audit.models import ChainHead
from audit.selectors import receipt_named
from relcontrol.accounts.permissions import READ_AUDIT, VIEW, Permission
from relcontrol.api.calls import Call
from relcontrol.errors import Conflict, invalid

TEXT = {(200, "text/plain"): OpenApiTypes.STR}
MOST_DIGITS = 18
DAMAGED = (
    "The stored log does not follow from its receipts, so nothing is proved from it: {}. Compare the log with a head "
    "that you or a witness kept from earlier, and see the alarm on the page Audit. What was exported before still "
    "verifies by itself."
)
SIZES = [
    OpenApiParameter(name, {"type": "integer", "minimum": 0}, required=True, description=what)
    for name, what in (("from", "The earlier size."), ("to", "The later size, at most that of the present head."))
]


@extend_schema_view(
    get=extend_schema(summary="The proof that a receipt is in the log (C2SP tlog-proof)", responses=TEXT)
)
class ReceiptProof(Call):
    """A receipt in the log, by hash, id or number."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": READ_AUDIT}

    def get(self, request: Request, receipt: str) -> HttpResponse:
        """Against the newest anchored checkpoint that covers it, else against the present head."""
        row = receipt_named(self.actor.organization, receipt)
        with _intact():
            answer = _text(proof_of(row))
        answer.headers["Content-Disposition"] = f'attachment; filename="{row.seq}.tlog-proof"'
        return answer


@extend_schema_view(get=extend_schema(summary="The log's present head (C2SP signed note)", responses=TEXT))
class LogHead(Call):
    """Size and root of the log, signed: what a customer keeps to notice later if receipts go."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW}

    def get(self, request: Request) -> HttpResponse:
        """The note."""
        with _intact():
            return _text(signed_head(self.actor.organization).note)


@extend_schema_view(
    get=extend_schema(
        summary="The proof that the log of one size begins with that of another: a hash in base64 on each line",
        parameters=SIZES,
        responses=TEXT,
    )
)
class LogConsistency(Call):
    """Between two sizes of the log."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW}

    def get(self, request: Request) -> HttpResponse:
        """RFC 6962, section 2.1.2; nothing between equal sizes and from the empty log."""
        organization = self.actor.organization
        old, new = _size(request, "from"), _size(request, "to")
        present = ChainHead.objects.get(organization=organization).seq
        if new > present:
            raise invalid("to", f"The log has {present} receipts; ask for at most that size.")
        if old > new:
            raise invalid("from", "The earlier size comes first: from is at most to.")
        with _intact():
            proof = consistency(organization, old, new)
        return _text("".join(f"{base64.b64encode(one).decode('ascii')}\n" for one in proof))


@contextmanager
def _intact() -> Iterator[None]:
    """What cannot be shown of a log with nodes that are gone or others is refused in words."""
    try:
        yield
    except (MissingNodeError, ProofError) as error:
        raise Conflict(DAMAGED.format(error), code="log_damaged") from error


def _size(request: Request, name: str) -> int:
    text = request.query_params.get(name, "")
    if not (text.isascii() and text.isdecimal()) or len(text) > MOST_DIGITS:
        raise invalid(name, f"{name} is a size of the log, a whole number.")
    return int(text)


def _text(content: str) -> HttpResponse:
    return HttpResponse(content, content_type="text/plain; charset=utf-8")
