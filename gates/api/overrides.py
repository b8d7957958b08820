"""REST: overrides, and the decisions of people on them."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.chain import timestamp
from gates.overrides.deciding import approve, reject, withdraw
from gates.overrides.selectors import override_named, overrides_in_state, overrides_of, state_of
from gates.run_models import Override
from relcontrol.accounts.permissions import APPROVE_OVERRIDES, REQUEST_OVERRIDES, VIEW, Permission
from relcontrol.api.calls import Call, CommandCall
from relcontrol.api.inputs import Input, Text
from relcontrol.api.pages import PAGED, listed
from relcontrol.clock import now
from relcontrol.errors import invalid

STATES: Final = [str(state) for state in Override.State]
TEXT: Final = serializers.CharField
MOMENT: Final = serializers.DateTimeField
OVERRIDE: Final = inline_serializer(
    "Override",
    {
        "override_id": TEXT(),
        "state": serializers.ChoiceField(STATES),
        "gate_override_sha256": TEXT(),
        "manifest_sha256": TEXT(),
        "release_id": TEXT(),
        "release": TEXT(),
        "application": TEXT(),
        "gate_run_id": TEXT(),
        "gate_run_sha256": TEXT(),
        "slices": serializers.ListField(child=TEXT()),
        "accepted_levels": serializers.DictField(child=TEXT(allow_null=True)),
        "reason": TEXT(),
        "cold_start": serializers.BooleanField(),
        "second_person": serializers.BooleanField(),
        "requested_by": TEXT(),
        "requested_at": MOMENT(),
        "expires_at": MOMENT(),
        "decided_by": TEXT(allow_null=True),
        "decided_at": MOMENT(allow_null=True),
        "comment": TEXT(allow_blank=True),
        "used_at": MOMENT(allow_null=True),
    },
)
OVERRIDES: Final = inline_serializer(
    "OverridePage", {"results": serializers.ListField(child=OVERRIDE), "next": TEXT(allow_null=True)}
)


class DecisionInput(Input):
    """What a person says to her decision; the service says how long."""

    comment = Text(required=False, allow_null=True, allow_blank=True)


@extend_schema_view(
    get=extend_schema(
        operation_id="overrides_list",
        summary="Overrides, newest first",
        parameters=[OpenApiParameter("state", str, enum=STATES), *PAGED],
        responses=OVERRIDES,
    )
)
class Overrides(Call):
    """The overrides of this organization."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW}

    def get(self, request: Request) -> Response:
        """A page."""
        wanted = request.query_params.get("state", "")
        if wanted and wanted not in STATES:
            raise invalid("state", f"Use one of {', '.join(STATES)}.")
        rows = overrides_of(self.actor.organization)
        return Response(listed(request, overrides_in_state(rows, wanted, now()) if wanted else rows, override_as_json))


@extend_schema_view(get=extend_schema(summary="An override", responses=OVERRIDE))
class OneOverride(Call):
    """An override."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW}

    def get(self, request: Request, override: str) -> Response:
        """As it is now."""
        return Response(override_as_json(override_named(self.actor.organization, override)))


class DecisionCall(CommandCall):
    """Base of the steps: each takes a comment and answers with the override as it is then."""

    def override(self, key: str) -> tuple[Override, object]:
        """The override of the caller's organization, and what the caller says."""
        return override_named(self.actor.organization, key), self.read(DecisionInput).get("comment")


@extend_schema_view(
    post=extend_schema(
        summary="Approve an override: a second person, never a service token",
        request=DecisionInput,
        responses=OVERRIDE,
    )
)
class ApproveOverride(DecisionCall):
    """The second person's yes."""

    permissions: ClassVar[Mapping[str, Permission]] = {"POST": APPROVE_OVERRIDES}

    def command(self, request: Request, **kwargs: str) -> Response:
        """Approve it."""
        row, comment = self.override(kwargs["override"])
        return Response(override_as_json(approve(actor=self.actor, override=row, comment=comment)))


@extend_schema_view(
    post=extend_schema(summary="Reject an override, with a reason", request=DecisionInput, responses=OVERRIDE)
)
class RejectOverride(DecisionCall):
    """The second person's no."""

    permissions: ClassVar[Mapping[str, Permission]] = {"POST": APPROVE_OVERRIDES}

    def command(self, request: Request, **kwargs: str) -> Response:
        """Reject it."""
        row, comment = self.override(kwargs["override"])
        return Response(override_as_json(reject(actor=self.actor, override=row, comment=comment)))


@extend_schema_view(
    post=extend_schema(summary="Withdraw an override: only who asked for it", request=DecisionInput, responses=OVERRIDE)
)
class WithdrawOverride(DecisionCall):
    """The requester's second thought."""

    permissions: ClassVar[Mapping[str, Permission]] = {"POST": REQUEST_OVERRIDES}

    def command(self, request: Request, **kwargs: str) -> Response:
        """Take it back."""
        row, comment = self.override(kwargs["override"])
        return Response(override_as_json(withdraw(actor=self.actor, override=row, comment=comment)))


def override_as_json(row: Override) -> dict[str, Any]:
    """An override as it is now; one that has lapsed is expired, whatever its row says."""
    run = row.run
    return {
        "override_id": row.pk,
        "state": state_of(row, now()),
        "gate_override_sha256": row.gate_override_sha256,
        "manifest_sha256": row.manifest_sha256,
        "release_id": run.candidate["release_id"],
        "release": run.release_name,
        "application": run.application.slug,
        "gate_run_id": run.pk,
        "gate_run_sha256": run.gate_run_sha256,
        "slices": row.slices,
        "accepted_levels": row.accepted_levels,
        "reason": row.reason,
        "cold_start": row.cold_start,
        "second_person": run.policy["definition"]["second_person"],
        "requested_by": row.requested_by_label,
        "requested_at": timestamp(row.requested_at),
        "expires_at": timestamp(row.expires_at),
        "decided_by": row.decided_by_label or None,
        "decided_at": timestamp(row.decided_at) if row.decided_at else None,
        "comment": row.comment,
        "used_at": timestamp(row.used_at) if row.used_at else None,
    }
