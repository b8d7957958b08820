"""REST: saved scopes of exports, and the requirement map."""

from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.evidence_models import SavedScope
from audit.models import Export
from audit.requirements import NOTE, requirements
from audit.scopes.saved import MAX_NAME, delete_scope, save_scope, scopes_of
from relcontrol.accounts.permissions import READ_AUDIT, SAVE_SCOPES, Permission
from relcontrol.accounts.selectors import found
from relcontrol.api.calls import Call, CommandCall
from relcontrol.api.inputs import Input, Structure, Text
from relcontrol.api.pages import PAGED, listed

SCOPE = inline_serializer(
    "SavedScope",
    {
        "scope_id": serializers.CharField(),
        "name": serializers.CharField(),
        "scope": serializers.JSONField(),
        "opens": serializers.ChoiceField(Export.Opens.choices),
        "created_by": serializers.CharField(),
        "created_at": serializers.DateTimeField(),
    },
)
SCOPES = inline_serializer(
    "SavedScopePage",
    {"results": serializers.ListField(child=SCOPE), "next": serializers.CharField(allow_null=True)},
)


class SavedScopeInput(Input):
    """A scope as an export takes it, with a name."""

    name = Text(max_length=MAX_NAME)
    scope = Structure()
    opens = serializers.ChoiceField(Export.Opens.choices, required=False)
    to = serializers.DateTimeField(required=False, allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        """With `from`, which is no name that Python could give a field."""
        return super().get_fields() | {"from": serializers.DateTimeField(required=False, allow_null=True)}


@extend_schema_view(
    get=extend_schema(summary="Saved scopes of exports, newest first", parameters=PAGED, responses=SCOPES),
    post=extend_schema(summary="Save a scope", request=SavedScopeInput, responses={201: SCOPE}),
)
class SavedScopes(CommandCall):
    """Scopes that somebody exports again and again."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": READ_AUDIT, "POST": SAVE_SCOPES}

    def get(self, request: Request) -> Response:
        """A page."""
        return Response(listed(request, scopes_of(self.actor.organization), scope_as_json))

    def command(self, request: Request, **kwargs: str) -> Response:
        """Save one."""
        body = self.read(SavedScopeInput)
        row = save_scope(
            actor=self.actor,
            name=body["name"],
            scope=body["scope"],
            start=body.get("from"),
            end=body.get("to"),
            opens=body.get("opens", Export.Opens.ALL),
        )
        return Response(scope_as_json(row), 201)


@extend_schema_view(delete=extend_schema(summary="Delete a saved scope", responses={204: None}))
class OneSavedScope(Call):
    """A saved scope by id."""

    permissions: ClassVar[Mapping[str, Permission]] = {"DELETE": SAVE_SCOPES}

    def delete(self, request: Request, scope: str) -> Response:
        """Forget it; exports that were made with it stay."""
        delete_scope(actor=self.actor, row=found(scopes_of(self.actor.organization), "saved scope", pk=scope))
        return Response(status=204)


def scope_as_json(row: SavedScope) -> dict[str, Any]:
    """A saved scope; `scope` has the form in which exports show theirs."""
    return {
        "scope_id": row.pk,
        "name": row.name,
        "scope": row.scope,
        "opens": row.opens,
        "created_by": row.created_by,
        "created_at": row.created_at,
    }


@extend_schema_view(
    get=extend_schema(summary="Which receipts are evidence for which requirement", responses=OpenApiTypes.OBJECT)
)
class Requirements(Call):
    """The requirement map: an engineering reading, not legal advice."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": READ_AUDIT}

    def get(self, request: Request) -> Response:
        """The whole map; it is the same for every organization."""
        return Response({"note": NOTE, "requirements": [one.as_json() for one in requirements()]})
