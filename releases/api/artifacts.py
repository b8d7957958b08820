"""REST: artifacts by name and by content."""

from collections.abc import Mapping
from typing import ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from relcontrol.accounts.permissions import VIEW, WRITE_RELEASES, Permission
from relcontrol.api.calls import Call, CommandCall
from relcontrol.api.pages import PAGED, listed
from releases.api.inputs import ArtifactInput
from releases.api.shapes import ARTIFACT, CREATED, VERSIONS, artifact_as_json, version_as_json
from releases.artifact_selectors import artifact_named, artifact_versions
from releases.artifacts import create_artifact

FILTERS = [OpenApiParameter("kind", str), OpenApiParameter("name", str)]


@extend_schema_view(
    get=extend_schema(
        operation_id="artifacts_list",
        summary="Named artifacts, newest first",
        parameters=[*FILTERS, *PAGED],
        responses=VERSIONS,
    ),
    post=extend_schema(summary="Give a content a name", request=ArtifactInput, responses={200: CREATED, 201: CREATED}),
)
class Artifacts(CommandCall):
    """The artifacts of this organization."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW, "POST": WRITE_RELEASES}

    def get(self, request: Request) -> Response:
        """A page of names."""
        query = request.query_params
        rows = artifact_versions(self.actor.organization, kind=query.get("kind", ""), name=query.get("name", ""))
        return Response(listed(request, rows, version_as_json))

    def command(self, request: Request, **kwargs: str) -> Response:
        """Make one; 200 where the same is there already."""
        body = self.read(ArtifactInput)
        version, created = create_artifact(actor=self.actor, ref=body["ref"], value=body["value"])
        answer = version_as_json(version) | {"value": version.artifact.value}
        return Response(answer, status=201 if created else 200)


@extend_schema_view(get=extend_schema(summary="An artifact by ref or SHA-256, with its content", responses=ARTIFACT))
class OneArtifact(Call):
    """A content by any of its names."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW}

    def get(self, request: Request, artifact: str) -> Response:
        """The content and its names."""
        return Response(artifact_as_json(artifact_named(self.actor.organization, artifact)))
