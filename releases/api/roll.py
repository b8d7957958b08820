"""REST: asking for a rollout."""

from collections.abc import Mapping
from typing import ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from relcontrol.accounts.permissions import WRITE_ROLLOUTS, Permission
from relcontrol.api.calls import CommandCall
from releases.api.inputs import RollInput
from releases.checkpoints import plan_of
from releases.rolling import start_rollout
from releases.selectors import release_named


@extend_schema_view(
    post=extend_schema(
        summary="Roll a release out",
        description="Answers 409 `not_deployable` with the reasons until a gate has passed the release.",
        request=RollInput,
        responses={},
    )
)
class Roll(CommandCall):
    """A rollout in checkpoints; a plan of one step is refused."""

    permissions: ClassVar[Mapping[str, Permission]] = {"POST": WRITE_ROLLOUTS}

    def command(self, request: Request, **kwargs: str) -> Response:
        """Check the plan, then whether the release may roll at all."""
        release = release_named(self.actor.organization, kwargs["release"])
        plan = plan_of(self.read(RollInput))
        start_rollout(actor=self.actor, release=release, plan=plan)
