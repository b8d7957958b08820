"""REST: the keys of an application. The text of a key is in the answer that makes it and nowhere else."""

from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_view, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.administration.api import READ_AND_ADMINISTER, page_of
from audit.administration.application_keys import create_application_key, keys_of, revoke_application_key
from relcontrol.accounts.models import Application, ApplicationKey
from relcontrol.accounts.permissions import ADMINISTER, Permission
from relcontrol.accounts.selectors import application_named, found
from relcontrol.api.calls import Call, CommandCall
from relcontrol.api.inputs import Input, Text
from relcontrol.api.pages import PAGED, listed

ROW: dict[str, serializers.Field[Any, Any, Any, Any]] = {
    "key_id": serializers.CharField(),
    "application": serializers.CharField(),
    "name": serializers.CharField(),
    "public": serializers.CharField(),
    "route": serializers.CharField(allow_null=True),
    "created_by": serializers.CharField(),
    "created_at": serializers.DateTimeField(),
    "revoked_at": serializers.DateTimeField(allow_null=True),
}
KEY = inline_serializer("ApplicationKey", {**ROW})  # it empties what it is given
MADE = inline_serializer("ApplicationKeyMade", {**ROW, "key": serializers.CharField(allow_null=True)})


class ApplicationKeyInput(Input):
    """A new key. `route` takes the requests that name none; left out, the application's default route does."""

    name = Text(max_length=100)
    route = Text(max_length=40, required=False, allow_null=True)


@extend_schema_view(
    get=extend_schema(summary="Keys of an application", parameters=PAGED, responses=page_of("ApplicationKeyPage", KEY)),
    post=extend_schema(summary="Make an application key", request=ApplicationKeyInput, responses={201: MADE}),
)
class ApplicationKeys(CommandCall):
    """Keys with which clients call gateways."""

    permissions: ClassVar[Mapping[str, Permission]] = READ_AND_ADMINISTER
    text: str | None = None

    def get(self, request: Request, application: str) -> Response:
        """A page."""
        return Response(listed(request, keys_of(_application(self, application)), key_as_json))

    def post(self, request: Request, **kwargs: str) -> Response:
        """Make one. What is kept for a repeated Idempotency-Key lacks the text: `key` is null in a second answer."""
        answer = super().post(request, **kwargs)
        answer.data = {**answer.data, "key": self.text}
        return answer

    def command(self, request: Request, **kwargs: str) -> Response:
        """Make one, and keep its text aside."""
        application, body = _application(self, kwargs["application"]), self.read(ApplicationKeyInput)
        route = found(application.routes.all(), "route", pk=body["route"]) if body.get("route") else None
        row, self.text = create_application_key(
            actor=self.actor, application=application, name=body["name"], route=route
        )
        return Response(key_as_json(row), 201)


@extend_schema_view(delete=extend_schema(summary="Revoke an application key", responses={200: KEY}))
class OneApplicationKey(Call):
    """One key."""

    permissions: ClassVar[Mapping[str, Permission]] = {"DELETE": ADMINISTER}

    def delete(self, request: Request, application: str, application_key: str) -> Response:
        """Revoke it; it stays in the list with the time of its end."""
        row = found(keys_of(_application(self, application)), "application key", pk=application_key)
        return Response(key_as_json(revoke_application_key(actor=self.actor, key=row)))


def _application(call: Call, name: str) -> Application:
    return application_named(call.actor.organization, name)


def key_as_json(row: ApplicationKey) -> dict[str, Any]:
    """A key, without anything secret."""
    return {
        "key_id": row.pk,
        "application": row.application.slug,
        "name": row.name,
        "public": row.public,
        "route": row.route_id,
        "created_by": row.created_by_label,
        "created_at": row.created_at,
        "revoked_at": row.revoked_at,
    }
