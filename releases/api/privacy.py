"""REST: erasing a subject, what was erased, and what is redacted of requests before they are stored."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.administration.redactions import MAX_REDACTIONS, MAX_TEXT, set_redactions
from relcontrol.accounts.models import Organization
from relcontrol.accounts.permissions import ADMINISTER, VIEW, Permission
from relcontrol.api.calls import Call, CommandCall
from relcontrol.api.inputs import Input, Text
from relcontrol.api.pages import PAGED, listed
from relcontrol.errors import invalid
from releases.api.shapes import TEXT, a_list
from releases.privacy.copies import WORDS
from releases.privacy.erasing import KEYS, MAX_REASON, MAX_SUBJECT, digest_of_request, erase, erasures_of
from releases.trace_models import Erasure

DIGEST: Final = r"^[0-9a-f]{32}\Z"
WAYS: Final = ("subject", "request_id", "subject_digest")
COUNTS: Final = inline_serializer(
    "ErasedCopies", {name: serializers.IntegerField(required=False) for name in (KEYS, *WORDS)}
)
ERASURE: Final = inline_serializer(
    "Erasure",
    {
        "erasure_id": TEXT(),
        "subject_digest": TEXT(
            help_text="The keyed digest of the subject, in hexadecimal; never what clients call it."
        ),
        "reason": TEXT(),
        "gone": COUNTS,
        "erased_by": TEXT(),
        "erased_at": serializers.DateTimeField(),
        "receipt": TEXT(),
    },
)
ERASURES: Final = inline_serializer("ErasurePage", {"results": a_list(ERASURE), "next": TEXT(allow_null=True)})
REDACTION: Final = inline_serializer("Redaction", {"pattern": TEXT(), "with": TEXT(allow_blank=True)})
REDACTIONS: Final = inline_serializer("Redactions", {"redactions": a_list(REDACTION)})


class EraseInput(Input):
    """Whom, in one way: as requests name the subject, by the id of a request, or by the digest in an older receipt."""

    subject = Text(required=False, max_length=MAX_SUBJECT)
    request_id = Text(required=False, max_length=100)
    subject_digest = serializers.RegexField(
        DIGEST, required=False, help_text="To erase again after a backup was restored: receipts and this list have it."
    )
    reason = Text(max_length=MAX_REASON)


@extend_schema_field(
    {
        "type": "array",
        "maxItems": MAX_REDACTIONS,
        "items": {
            "type": "object",
            "required": ["pattern", "with"],
            "additionalProperties": False,
            "properties": {
                "pattern": {"type": "string", "minLength": 1, "maxLength": MAX_TEXT},
                "with": {"type": "string", "maxLength": MAX_TEXT},
            },
        },
    }
)
class AnyRedactions(serializers.Field[Any, Any, Any, Any]):
    """The list as it was sent; the service says all that is wrong with it."""

    def to_internal_value(self, data: Any) -> Any:
        """The value as it was sent."""
        return data


class RedactionsInput(Input):
    """All redactions in their order; an empty list ends them."""

    redactions = AnyRedactions()


@extend_schema_view(
    post=extend_schema(
        summary="Erase a subject",
        description=(
            "Destroys the subject's key and takes out every copy of what her requests said, in one transaction with "
            "its receipt. Erasing again changes nothing. The reason stays, so it must not name whom it is about."
        ),
        request=EraseInput,
        responses=ERASURE,
    )
)
class EraseSubject(CommandCall):
    """Erase somebody."""

    permissions: ClassVar[Mapping[str, Permission]] = {"POST": ADMINISTER}

    def command(self, request: Request, **kwargs: str) -> Response:
        """Erase, and say what went."""
        body = self.read(EraseInput)
        row = erase(actor=self.actor, **self._whom(body), reason=body["reason"])
        return Response(erasure_as_json(row))

    def _whom(self, body: Mapping[str, str]) -> dict[str, Any]:
        match {name: body[name] for name in WAYS if name in body}:
            case {"subject": subject, **rest} if not rest:
                return {"subject": subject}
            case {"request_id": request_id, **rest} if not rest:
                return {"digest": digest_of_request(self.actor.organization, request_id)}
            case {"subject_digest": digest, **rest} if not rest:
                return {"digest": bytes.fromhex(digest)}
        raise invalid("subject", f"Say whom in one way: by {', '.join(WAYS[:-1])} or {WAYS[-1]}.")


@extend_schema_view(get=extend_schema(summary="Erasures, newest first", parameters=PAGED, responses=ERASURES))
class Erasures(Call):
    """What was erased, by whom and why."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW}

    def get(self, request: Request) -> Response:
        """A page."""
        return Response(listed(request, erasures_of(self.actor.organization), erasure_as_json))


@extend_schema_view(
    get=extend_schema(summary="What is redacted of requests before they are stored", responses=REDACTIONS),
    patch=extend_schema(
        summary="Say what is redacted",
        description=(
            "Patterns are those of preprocessing steps, and run in their order over every text of input, output and "
            "metadata. A change reaches running processes within seconds; what is stored already stays as it is."
        ),
        request=RedactionsInput,
        responses=REDACTIONS,
    ),
)
class Redactions(Call):
    """The redactions of this organization."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW, "PATCH": ADMINISTER}

    def get(self, request: Request) -> Response:
        """As they are now."""
        return Response({"redactions": Organization.objects.get(pk=self.actor.organization.pk).redactions})

    def patch(self, request: Request) -> Response:
        """Others from now on."""
        row = set_redactions(actor=self.actor, redactions=self.read(RedactionsInput)["redactions"])
        return Response({"redactions": row.redactions})


def erasure_as_json(row: Erasure) -> dict[str, Any]:
    """One erasure."""
    return {
        "erasure_id": row.pk,
        "subject_digest": bytes(row.subject).hex(),
        "reason": row.reason,
        "gone": row.gone,
        "erased_by": row.erased_by_label,
        "erased_at": row.erased_at,
        "receipt": row.receipt_hash,
    }
