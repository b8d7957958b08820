"""REST: one application, one endpoint, and what may change of them. Fields that are left out stay as they are."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import transaction
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.administration.api import (
    APPLICATION,
    ENDPOINT,
    MAX_REF,
    application_as_json,
    endpoint_as_json,
)
from audit.administration.applications import (
    MAX_SERVES,
    SETTINGS,
    change_endpoint,
    rename_application,
    set_client_settings,
)
from relcontrol.accounts.models import Endpoint
from relcontrol.accounts.permissions import ADMINISTER, VIEW, Permission
from relcontrol.accounts.selectors import application_named, endpoints_of, found
from relcontrol.api.calls import Call
from relcontrol.api.inputs import Input, Text

READ_AND_CHANGE: Mapping[str, Permission] = {"GET": VIEW, "PATCH": ADMINISTER}
KEPT = ("base_url", "credential", "input_price", "output_price", "serves")


class ApplicationChange(Input):
    """Another name, other settings. In `client_settings` a client's own value stands against the manifest's."""

    name = Text(max_length=200, required=False)
    client_settings = serializers.ListField(child=Text(max_length=40), required=False, max_length=len(SETTINGS))


class EndpointChange(Input):
    """Changed fields; prices are decimal strings, per token. `serves` lists the models that answer here."""

    base_url = Text(max_length=500, required=False)
    credential = Text(max_length=100, required=False, allow_blank=True)
    input_price = serializers.DecimalField(16, 10, required=False, allow_null=True, min_value=0)
    output_price = serializers.DecimalField(16, 10, required=False, allow_null=True, min_value=0)
    serves = serializers.ListField(child=Text(max_length=MAX_REF), required=False, max_length=MAX_SERVES)


@extend_schema_view(
    get=extend_schema(summary="An application", responses=APPLICATION),
    patch=extend_schema(summary="Change an application", request=ApplicationChange, responses=APPLICATION),
)
class OneApplication(Call):
    """One application by its slug."""

    permissions: ClassVar[Mapping[str, Permission]] = READ_AND_CHANGE

    def get(self, request: Request, application: str) -> Response:
        """As it is now."""
        return Response(application_as_json(application_named(self.actor.organization, application)))

    def patch(self, request: Request, application: str) -> Response:
        """Change its name for people, what its clients may set, or both."""
        row, body = application_named(self.actor.organization, application), self.read(ApplicationChange)
        with transaction.atomic():
            if "name" in body:
                row = rename_application(actor=self.actor, application=row, name=body["name"])
            if "client_settings" in body:
                row = set_client_settings(actor=self.actor, application=row, names=body["client_settings"])
        return Response(application_as_json(row))


@extend_schema_view(
    get=extend_schema(summary="An endpoint", responses=ENDPOINT),
    patch=extend_schema(summary="Change an endpoint", request=EndpointChange, responses=ENDPOINT),
)
class OneEndpoint(Call):
    """One endpoint by its name."""

    permissions: ClassVar[Mapping[str, Permission]] = READ_AND_CHANGE

    def get(self, request: Request, endpoint: str) -> Response:
        """As it is now, its credential by name only."""
        return Response(endpoint_as_json(self._named(endpoint)))

    def patch(self, request: Request, endpoint: str) -> Response:
        """Change its address, credential, prices or models; its name never changes."""
        row, body = self._named(endpoint), self.read(EndpointChange)
        fields: dict[str, Any] = {name: getattr(row, name) for name in KEPT} | body
        return Response(endpoint_as_json(change_endpoint(actor=self.actor, endpoint=row, **fields)))

    def _named(self, name: str) -> Endpoint:
        key = "pk" if name.startswith("end_") else "name"
        return found(endpoints_of(self.actor.organization), "endpoint", **{key: name})
