"""REST: registering releases and reading them."""

from collections.abc import Mapping
from typing import ClassVar

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from relcontrol.accounts.permissions import VIEW, WRITE_RELEASES, Permission
from relcontrol.api.calls import Call, CommandCall
from relcontrol.api.pages import PAGED, listed
from relcontrol.errors import invalid
from releases.api.inputs import RegisterInput
from releases.api.shapes import DIFFERENCE, RELEASE, RELEASES, difference_as_json, release_as_json
from releases.models import Release
from releases.registry.order import Order
from releases.registry.registration import register
from releases.selectors import ReleaseFilter, component_diff, release_named, releases_of, state_of, states_of

FILTERS = [
    OpenApiParameter("application", str),
    OpenApiParameter("route", str),
    OpenApiParameter("delivery", str, enum=Release.Delivery.values),
    OpenApiParameter("model", str, description="A part of the model's ref."),
]


@extend_schema_view(
    get=extend_schema(
        operation_id="releases_list",
        summary="Releases, newest first",
        parameters=[*FILTERS, *PAGED],
        responses=RELEASES,
    ),
    post=extend_schema(summary="Register a release", request=RegisterInput, responses={200: RELEASE, 201: RELEASE}),
)
class Releases(CommandCall):
    """The releases of this organization."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW, "POST": WRITE_RELEASES}

    def get(self, request: Request) -> Response:
        """A page of releases."""
        page = listed(request, releases_of(self.actor.organization, _filter_of(request)), lambda row: row)
        states = states_of(self.actor.organization, page["results"])
        page["results"] = [release_as_json(row, states[row.pk]) for row in page["results"]]
        return Response(page)

    def command(self, request: Request, **kwargs: str) -> Response:
        """Register one; 200 where its manifest is registered already."""
        done = register(actor=self.actor, order=Order(**self.read(RegisterInput)))
        answer = release_as_json(done.release, state_of(done.release))
        return Response(answer, status=201 if done.created else 200)


class ReleaseCall(Call):
    """Base of the reading calls below one release, which is named by id, SHA-256 or a prefix of it."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW}

    def release(self, text: str) -> Release:
        """The release of the caller's organization; 404 for any other."""
        return release_named(self.actor.organization, text)


@extend_schema_view(get=extend_schema(summary="A release", responses=RELEASE))
class OneRelease(ReleaseCall):
    """A release with its standing."""

    def get(self, request: Request, release: str) -> Response:
        """The release."""
        row = self.release(release)
        return Response(release_as_json(row, state_of(row)))


@extend_schema_view(
    get=extend_schema(
        summary="The canonical bytes of a manifest; their SHA-256 is the release's",
        responses={(200, "application/json"): OpenApiTypes.OBJECT, 304: None},
    )
)
class ManifestBytes(ReleaseCall):
    """The manifest exactly as it was hashed."""

    def get(self, request: Request, release: str) -> HttpResponse:
        """RFC 8785 bytes; the ETag is their SHA-256."""
        row = self.release(release)
        etag = f'"{row.manifest_sha256}"'
        known = {tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")}
        if known & {etag, "*"}:
            return HttpResponse(status=304, headers={"ETag": etag})
        return HttpResponse(bytes(row.manifest), content_type="application/json", headers={"ETag": etag})


@extend_schema_view(
    get=extend_schema(
        summary="The components in which two releases differ",
        parameters=[OpenApiParameter("against", str, description="Another release; its previous one by default.")],
        responses=DIFFERENCE,
    )
)
class Difference(ReleaseCall):
    """A release against another."""

    def get(self, request: Request, release: str) -> Response:
        """Component by component, prompts with their texts."""
        row = self.release(release)
        against = self._against(request, row)
        return Response(
            {
                "manifest_sha256": row.manifest_sha256,
                "against": against.manifest_sha256 if against else None,
                "changes": [difference_as_json(change) for change in component_diff(row, against)],
            }
        )

    def _against(self, request: Request, release: Release) -> Release | None:
        text = request.query_params.get("against")
        return self.release(text) if text else release.previous_release


def _filter_of(request: Request) -> ReleaseFilter:
    query = request.query_params
    delivery = query.get("delivery", "")
    if delivery and delivery not in Release.Delivery.values:
        raise invalid("delivery", f"Use one of {', '.join(Release.Delivery.values)}.")
    return ReleaseFilter(
        application=query.get("application", ""),
        route=query.get("route", ""),
        delivery=delivery,
        model=query.get("model", ""),
    )
