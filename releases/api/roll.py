"""REST: rolling a release out."""

from collections.abc import Mapping
from typing import ClassVar, Final

from drf_spectacular.utils import extend_schema, extend_schema_view, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.chain import timestamp
from relcontrol.accounts.permissions import WRITE_ROLLOUTS, Permission
from relcontrol.api.calls import CommandCall
from releases.api.inputs import RollInput
from releases.api.shapes import TEXT, a_list
from releases.checkpoints import plan_of
from releases.rolling.order import RollOrder
from releases.rolling.preparing import prepare
from releases.rolling.starting import DryStart, dry_start, next_checkpoint_at, start_rollout
from releases.rolling.storing import plan_as_json
from releases.selectors import release_named
from releases.weights.drift import HALT

STARTED: Final = inline_serializer(
    "RolloutStarted", {"rollout_id": TEXT(), "state": TEXT(), "next_checkpoint_at": serializers.DateTimeField()}
)
DRY: Final = inline_serializer(
    "RolloutDryRun",
    {
        "dry_run": serializers.BooleanField(),
        "would_start": serializers.BooleanField(),
        "why_not": a_list(TEXT()),
        "checkpoints": a_list(serializers.JSONField()),
        "shadow": serializers.JSONField(allow_null=True),
        "next_checkpoint_at": serializers.DateTimeField(allow_null=True),
    },
)


@extend_schema_view(
    post=extend_schema(
        summary="Roll a release out",
        description=(
            "Gateways are told of the release first; within five seconds all of them must report its fingerprint, "
            "else 409 `rollout_not_ready`. 409 `not_deployable` without a gate pass or an active override, `rebase` "
            "where the route serves another release than the manifest names. `dry_run` answers 200 and changes nothing."
        ),
        request=RollInput,
        responses={202: STARTED, 200: DRY},
    )
)
class Roll(CommandCall):
    """A rollout in checkpoints; a plan of one step is refused."""

    permissions: ClassVar[Mapping[str, Permission]] = {"POST": WRITE_ROLLOUTS}

    def post(self, request: Request, **kwargs: str) -> Response:
        """Have the gateways ready before the transaction of an Idempotency-Key begins: they only see what is there."""
        release = release_named(self.actor.organization, kwargs["release"])
        self.plan_of_body()
        prepare(actor=self.actor, release=release)
        return super().post(request, **kwargs)

    def plan_of_body(self) -> RollOrder:
        """The order in the body, its plan checked."""
        body = self.read(RollInput)
        return RollOrder(
            plan=plan_of(body),
            strategy=body["strategy"],
            reason=(body.get("reason") or "").strip(),
            dry_monitors=body.get("dry_monitors") or (),
            weights_drift=body.get("weights_drift") or HALT,
        )

    def command(self, request: Request, **kwargs: str) -> Response:
        """Start it, or say what a start would do."""
        release, order = release_named(self.actor.organization, kwargs["release"]), self.plan_of_body()
        if self.read(RollInput).get("dry_run"):
            return Response(_dry(dry_start(actor=self.actor, release=release, order=order)))
        row = start_rollout(actor=self.actor, release=release, order=order)
        answer = {
            "rollout_id": row.pk,
            "state": row.state,
            "next_checkpoint_at": timestamp(next_checkpoint_at(row)),
        }
        return Response(answer, status=202)


def _dry(found: DryStart) -> dict[str, object]:
    return {
        "dry_run": True,
        "would_start": not found.why_not,
        "why_not": list(found.why_not),
        "checkpoints": plan_as_json(found.plan),
        "shadow": plan_as_json([found.shadow])[0] if found.shadow else None,
        "next_checkpoint_at": timestamp(found.next_checkpoint_at) if found.next_checkpoint_at else None,
    }
