"""`GET /v1/me`: who this token is, and what it may."""

from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Token
from relcontrol.accounts.permissions import VIEW, Permission
from relcontrol.api.calls import Call

ME = inline_serializer(
    "Me",
    {
        "organization": serializers.CharField(),
        "kind": serializers.ChoiceField(["person", "service"]),
        "id": serializers.CharField(),
        "name": serializers.CharField(),
        "roles": serializers.ListField(child=serializers.CharField()),
        "scopes": serializers.ListField(child=serializers.CharField()),
        "expires_at": serializers.DateTimeField(allow_null=True),
    },
)


class Me(Call):
    """The caller."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW}

    @extend_schema(summary="Who this token is, and what it may do", responses=ME)
    def get(self, request: Request) -> Response:
        """The token's organization, person or service, roles and scopes."""
        return Response(me(self.actor, self.token))


def me(actor: Actor, token: Token) -> dict[str, Any]:
    """The caller as JSON."""
    return {
        "organization": actor.organization.slug,
        "kind": actor.kind,
        "id": actor.id,
        "name": actor.label,
        "roles": list(actor.roles),
        "scopes": list(token.scopes),
        "expires_at": token.expires_at,
    }
