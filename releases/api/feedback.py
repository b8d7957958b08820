"""REST: what somebody says of one answer."""

from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from relcontrol.accounts.permissions import WRITE_TRACES, Permission
from relcontrol.api.calls import Call
from relcontrol.api.inputs import Input, Text
from releases.measuring.feedback import MAX_LABEL, record
from releases.trace_models import Feedback

FEEDBACK = inline_serializer(
    "Feedback",
    {
        "request_id": serializers.CharField(),
        "kind": serializers.ChoiceField(Feedback.Kind.choices),
        "name": serializers.CharField(),
        "value": serializers.JSONField(),
        "created_at": serializers.DateTimeField(),
    },
)


@extend_schema_field({"oneOf": [{"type": "number"}, {"type": "string", "minLength": 1, "maxLength": MAX_LABEL}]})
class Saying(serializers.Field[Any, Any, Any, Any]):
    """A number or a text, as the kind asks for; the service judges it."""

    def to_internal_value(self, data: Any) -> Any:
        """The value as it was sent."""
        return data


class FeedbackInput(Input):
    """A thumb (1, -1), a task outcome (1, 0), a label (text), or a named score (number).

    A label that is a number is a grade of that answer; its name says the scale: grade (0 to 1), grade_5, grade_100.
    """

    request_id = Text(max_length=100)
    kind = serializers.ChoiceField(Feedback.Kind.choices)
    name = Text(max_length=64, required=False)
    value = Saying()


@extend_schema_view(
    post=extend_schema(
        summary="Say something of one answer",
        description="The newest saying of a kind and name counts. The trace of the request may still be on its way.",
        request=FeedbackInput,
        responses={201: FEEDBACK},
    )
)
class SendFeedback(Call):
    """Feedback on a request."""

    permissions: ClassVar[Mapping[str, Permission]] = {"POST": WRITE_TRACES}

    def post(self, request: Request) -> Response:
        """Keep it."""
        row = record(actor=self.actor, **self.read(FeedbackInput))
        return Response(feedback_as_json(row), 201)


def feedback_as_json(row: Feedback) -> dict[str, Any]:
    """One saying."""
    return {
        "request_id": row.request_id,
        "kind": row.kind,
        "name": row.name,
        "value": row.label if row.value is None else row.value,
        "created_at": row.created_at,
    }
