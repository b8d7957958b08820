"""REST: the ground of an organization: applications, routes, endpoints."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from drf_spectacular.utils import extend_schema, extend_schema_view, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.administration.applications import MAX_SERVES, create_application, create_endpoint, create_route
from relcontrol.accounts.models import Application, Endpoint, Route
from relcontrol.accounts.permissions import ADMINISTER, VIEW, Permission
from relcontrol.accounts.selectors import application_named, applications_of, endpoints_of, routes_of
from relcontrol.api.calls import CommandCall
from relcontrol.api.inputs import Input, Structure, Text, Truth
from relcontrol.api.pages import PAGED, listed

MAX_REF: Final = 300
READ_AND_ADMINISTER: Mapping[str, Permission] = {"GET": VIEW, "POST": ADMINISTER}
APPLICATION = inline_serializer(
    "Application",
    {
        "application_id": serializers.CharField(),
        "slug": serializers.CharField(),
        "name": serializers.CharField(),
        "client_settings": serializers.ListField(child=serializers.CharField()),
        "created_at": serializers.DateTimeField(),
    },
)
ROUTE = inline_serializer(
    "Route",
    {
        "route_id": serializers.CharField(),
        "application": serializers.CharField(),
        "name": serializers.CharField(),
        "routing": serializers.DictField(child=serializers.CharField()),
        "is_default": serializers.BooleanField(),
        "created_at": serializers.DateTimeField(),
    },
)
ENDPOINT = inline_serializer(
    "Endpoint",
    {
        "endpoint_id": serializers.CharField(),
        "name": serializers.CharField(),
        "base_url": serializers.CharField(),
        "protocol": serializers.CharField(),
        "credential": serializers.CharField(),
        "input_price": serializers.CharField(allow_null=True),
        "output_price": serializers.CharField(allow_null=True),
        "serves": serializers.ListField(child=serializers.CharField()),
        "created_at": serializers.DateTimeField(),
    },
)


def page_of(name: str, row: serializers.Serializer[Any]) -> serializers.Serializer[Any]:
    """The shape of one page of rows."""
    return inline_serializer(
        name, {"results": serializers.ListField(child=row), "next": serializers.CharField(allow_null=True)}
    )


class ApplicationInput(Input):
    """A new application."""

    slug = Text(max_length=63)
    name = Text(max_length=200, required=False)


class RouteInput(Input):
    """A new route."""

    application = Text(max_length=63, required=False)
    routing = Structure()
    name = Text(max_length=200, required=False)
    is_default = Truth(required=False)


class EndpointInput(Input):
    """A new endpoint. Prices are decimal strings, per token.

    `serves` lists the models that answer here, such as hf:org/repo; with a single endpoint nothing need be listed.
    """

    name = Text(max_length=63)
    base_url = Text(max_length=500)
    credential = Text(max_length=100, required=False, allow_blank=True)
    input_price = serializers.DecimalField(16, 10, required=False, allow_null=True, min_value=0)
    output_price = serializers.DecimalField(16, 10, required=False, allow_null=True, min_value=0)
    serves = serializers.ListField(child=Text(max_length=MAX_REF), required=False, max_length=MAX_SERVES)


@extend_schema_view(
    get=extend_schema(summary="Applications", parameters=PAGED, responses=page_of("ApplicationPage", APPLICATION)),
    post=extend_schema(summary="Make an application", request=ApplicationInput, responses={201: APPLICATION}),
)
class Applications(CommandCall):
    """Applications of this organization."""

    permissions: ClassVar[Mapping[str, Permission]] = READ_AND_ADMINISTER

    def get(self, request: Request) -> Response:
        """A page."""
        return Response(listed(request, applications_of(self.actor.organization), application_as_json))

    def command(self, request: Request, **kwargs: str) -> Response:
        """Make one."""
        return Response(application_as_json(create_application(actor=self.actor, **self.read(ApplicationInput))), 201)


@extend_schema_view(
    get=extend_schema(summary="Routes", parameters=PAGED, responses=page_of("RoutePage", ROUTE)),
    post=extend_schema(summary="Make a route", request=RouteInput, responses={201: ROUTE}),
)
class Routes(CommandCall):
    """Routes of this organization."""

    permissions: ClassVar[Mapping[str, Permission]] = READ_AND_ADMINISTER

    def get(self, request: Request) -> Response:
        """A page."""
        return Response(listed(request, routes_of(self.actor.organization), route_as_json))

    def command(self, request: Request, **kwargs: str) -> Response:
        """Make one."""
        body = self.read(RouteInput)
        application = application_named(self.actor.organization, body.pop("application", None))
        return Response(route_as_json(create_route(actor=self.actor, application=application, **body)), 201)


@extend_schema_view(
    get=extend_schema(summary="Endpoints", parameters=PAGED, responses=page_of("EndpointPage", ENDPOINT)),
    post=extend_schema(summary="Make an endpoint", request=EndpointInput, responses={201: ENDPOINT}),
)
class Endpoints(CommandCall):
    """Model servers of this organization; credentials by name only."""

    permissions: ClassVar[Mapping[str, Permission]] = READ_AND_ADMINISTER

    def get(self, request: Request) -> Response:
        """A page."""
        return Response(listed(request, endpoints_of(self.actor.organization), endpoint_as_json))

    def command(self, request: Request, **kwargs: str) -> Response:
        """Make one."""
        return Response(endpoint_as_json(create_endpoint(actor=self.actor, **self.read(EndpointInput))), 201)


def application_as_json(row: Application) -> dict[str, Any]:
    """An application."""
    return {
        "application_id": row.pk,
        "slug": row.slug,
        "name": row.name,
        "client_settings": row.client_settings,
        "created_at": row.created_at,
    }


def route_as_json(row: Route) -> dict[str, Any]:
    """A route."""
    return {
        "route_id": row.pk,
        "application": row.application.slug,
        "name": row.name,
        "routing": row.routing,
        "is_default": row.is_default,
        "created_at": row.created_at,
    }


def endpoint_as_json(row: Endpoint) -> dict[str, Any]:
    """An endpoint, without any secret."""
    return {
        "endpoint_id": row.pk,
        "name": row.name,
        "base_url": row.base_url,
        "protocol": row.protocol,
        "credential": row.credential,
        "input_price": None if row.input_price is None else format(row.input_price.normalize(), "f"),
        "output_price": None if row.output_price is None else format(row.output_price.normalize(), "f"),
        "serves": row.serves,
        "created_at": row.created_at,
    }
