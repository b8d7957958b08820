"""REST: archiving a release."""

from collections.abc import Mapping
from typing import ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from relcontrol.accounts.permissions import WRITE_ROLLOUTS, Permission
from relcontrol.api.calls import CommandCall
from relcontrol.api.inputs import Input, Text
from releases.api.shapes import RELEASE, release_as_json
from releases.archiving import archive
from releases.selectors import release_named, state_of


class ArchiveInput(Input):
    """`POST /v1/releases/{id}/archive`."""

    reason = Text(max_length=2_000)


@extend_schema_view(
    post=extend_schema(
        summary="Archive a release",
        description=(
            "Final: a person says that a release which was halted or rolled back never rolls again, and why. 403 "
            "`person_needed` for a service token, 409 `delivery` for a release in another state."
        ),
        request=ArchiveInput,
        responses=RELEASE,
    )
)
class Archive(CommandCall):
    """A person's last word on a release."""

    permissions: ClassVar[Mapping[str, Permission]] = {"POST": WRITE_ROLLOUTS}

    def command(self, request: Request, **kwargs: str) -> Response:
        """Archive it."""
        row = release_named(self.actor.organization, kwargs["release"])
        done = archive(actor=self.actor, release=row, reason=self.read(ArchiveInput)["reason"])
        return Response(release_as_json(done, state_of(done)))
