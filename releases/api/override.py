"""REST: asking for an override of a release's gate."""

from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.fields import SkipField, empty
from rest_framework.request import Request
from rest_framework.response import Response

from gates.api.overrides import OVERRIDE, override_as_json
from gates.overrides.requesting import request_override
from gates.overrides.rules import EXPIRES, FORCE, LEVELS, MAX_REASON, MIN_REASON, REASON, SLICES
from relcontrol.accounts.permissions import REQUEST_OVERRIDES, Permission
from relcontrol.api.calls import CommandCall
from relcontrol.api.inputs import Input
from releases.overriding import overridable
from releases.selectors import release_named


class AsSent(serializers.Field[Any, Any, Any, Any]):
    """A value that the service judges, so that all that is wrong with an override is said together.

    Whether it is `needed` is for the schema; one that is absent or null is left to the service, too.
    """

    needed: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__(required=self.needed, allow_null=not self.needed)

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        """Nothing is refused here."""
        if data is empty:
            raise SkipField
        return False, data

    def to_internal_value(self, data: Any) -> Any:
        """The value as it was sent."""
        return data


@extend_schema_field({"type": "boolean", "const": True})  # generators of clients know no enumeration of booleans
class Force(AsSent):
    """`forceGateOverride`."""

    needed = True


@extend_schema_field({"type": "string", "minLength": MIN_REASON, "maxLength": MAX_REASON})
class Reason(AsSent):
    """`overrideReason`."""

    needed = True


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class CoveredSlices(AsSent):
    """`slices`."""


@extend_schema_field({"type": "object", "additionalProperties": {"type": ["string", "null"]}})
class Levels(AsSent):
    """`accepted_levels`."""


@extend_schema_field({"type": "integer", "minimum": 60})
class Seconds(AsSent):
    """`expires_in_seconds`."""


class OverrideInput(Input):
    """`POST /v1/releases/{id}/override`: both structural fields, or nothing is recorded."""

    forceGateOverride = Force()  # noqa: N815 - the wire's name
    overrideReason = Reason()  # noqa: N815 - the wire's name
    slices = CoveredSlices()
    accepted_levels = Levels()
    expires_in_seconds = Seconds()


@extend_schema_view(
    post=extend_schema(
        summary="Ask for an override of a failed or held gate",
        description=(
            "Needs `forceGateOverride: true` and an `overrideReason` of 20 characters that say something. Another "
            "release manager approves it where the gate policy asks for a second person. The reason stays for ever."
        ),
        request=OverrideInput,
        responses={201: OVERRIDE},
    )
)
class RequestOverride(CommandCall):
    """An override of the newest gate run of a release."""

    permissions: ClassVar[Mapping[str, Permission]] = {"POST": REQUEST_OVERRIDES}

    def command(self, request: Request, **kwargs: str) -> Response:
        """Ask for one."""
        release = release_named(self.actor.organization, kwargs["release"])
        order = self.read(OverrideInput)
        row = request_override(
            actor=self.actor,
            candidate=overridable(release),
            force=order.get(FORCE),
            reason=order.get(REASON),
            slices=order.get(SLICES),
            accepted_levels=order.get(LEVELS),
            expires_in_seconds=order.get(EXPIRES),
        )
        return Response(override_as_json(row), status=201)
