"""OpenAPI 3.1 from the calls: bearer authentication, closed inputs, and the problems that every call may answer."""

import re
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import build_array_type, build_basic_type, build_object_type
from drf_spectacular.types import OpenApiTypes

from relcontrol.api.inputs import Input

PROBLEMS = {
    "400": "The request cannot be read.",
    "401": "No valid token.",
    "403": "The role or scope is missing; `detail` names it.",
    "404": "Not here, or another organization's.",
    "405": "This path has no such method.",
    "409": "Not in the present state, which `state` shows.",
    "413": "More bytes than this call takes.",
    "422": "A rule is broken; `errors` name the fields or rows.",
    "429": "Too many requests; see Retry-After.",
}
TEXT = build_basic_type(OpenApiTypes.STR)
PROBLEM = build_object_type(
    properties={
        "type": build_basic_type(OpenApiTypes.URI),
        "title": TEXT,
        "status": build_basic_type(OpenApiTypes.INT),
        "code": TEXT,
        "detail": TEXT,
        "request_id": TEXT,
        "errors": build_array_type(build_object_type(properties={"field": TEXT, "message": TEXT})),
        "state": build_object_type(additionalProperties={}),
    },
    required=["type", "title", "status", "code", "detail", "request_id"],
)


class Schema(AutoSchema):
    """drf-spectacular's schema with our problems added to every operation."""

    def get_operation_id(self) -> str:
        """`get_releases_release_diff`: method and path, so that each is one of its own and stays."""
        words = re.findall(r"[A-Za-z0-9]+", self.path.removeprefix("/v1"))
        return "_".join([self.method.lower(), *words])

    def map_parsers(self) -> list[str]:
        """Bodies are JSON whatever they are called; clients shall call them so."""
        return ["application/json"]

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> Any:
        schema = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]  # untyped there
        return schema | {"additionalProperties": False} if isinstance(serializer, Input) else schema

    def _map_serializer_field(self, *args: Any, **kwargs: Any) -> Any:
        """Any JSON, null among it: "either anything or null, and not both" would allow no null."""
        field = super()._map_serializer_field(*args, **kwargs)  # type: ignore[no-untyped-call]  # untyped there
        if field.get("oneOf") == [{}, {"type": "null"}]:
            del field["oneOf"]
        return field

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        """The operation of one method, or None."""
        operation = super().get_operation(*args, **kwargs)
        if operation:
            for status in PROBLEMS:
                operation["responses"].setdefault(status, {"$ref": f"#/components/responses/Problem{status}"})
        return operation


def with_problems(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the problems that its operations point to."""
    components = document["components"]
    components["schemas"]["Problem"] = PROBLEM
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    components["responses"] = {
        f"Problem{status}": {"description": description, "content": content} for status, description in PROBLEMS.items()
    }
    return document


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its metaclass has no types
    """How a client authenticates."""

    target_class = "relcontrol.api.authentication.BearerAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """A bearer token."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "rc_<public>.<secret>"}
