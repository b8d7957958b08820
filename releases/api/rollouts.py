"""REST: rollouts as they stand, and a person's commands to them."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.chain import timestamp
from relcontrol.accounts.permissions import VIEW, WRITE_ROLLOUTS, Permission
from relcontrol.api.calls import Call, CommandCall
from relcontrol.api.pages import PAGED, listed
from relcontrol.api.problems import problem_of
from relcontrol.clock import now
from relcontrol.errors import NotFound, invalid
from releases.api.inputs import OrderInput
from releases.api.shapes import JSON, TEXT, a_list
from releases.rolling.commands import COMMANDS, attempt
from releases.rolling.looking import look_at
from releases.rolling.selectors import rollout_named, rollouts_of, steps_of
from releases.rolling.starting import next_checkpoint_at
from releases.rolling.storing import value_of
from releases.rollout_models import Rollout, RolloutStep

STATES: Final = [str(state) for state in Rollout.State]
MOMENT: Final = serializers.DateTimeField
WHOLE: Final = serializers.IntegerField
SUMMARY_FIELDS: Final[dict[str, Any]] = {
    "rollout_id": TEXT(),
    "application": TEXT(),
    "route": TEXT(),
    "release_id": TEXT(),
    "release": TEXT(),
    "manifest_sha256": TEXT(),
    "previous_release": TEXT(allow_null=True),
    "state": serializers.ChoiceField(STATES),
    "checkpoint": WHOLE(help_text="From 1; 0 is the shadow."),
    "percent": serializers.FloatField(),
    "checkpoints": a_list(JSON()),
    "version": WHOLE(),
    "reasons": a_list(TEXT()),
    "entered_at": MOMENT(),
    "next_checkpoint_at": MOMENT(allow_null=True),
    "halts_at": MOMENT(allow_null=True),
    "started_at": MOMENT(),
    "started_by": TEXT(),
    "ended_at": MOMENT(allow_null=True),
    "override": JSON(allow_null=True),
}
SUMMARY: Final = inline_serializer("RolloutSummary", {**SUMMARY_FIELDS})  # it empties what it is given
ROLLOUT: Final = inline_serializer(
    "Rollout",
    {
        **SUMMARY_FIELDS,
        "settings": JSON(),
        "monitors": JSON(allow_null=True),
        "waiting_for": JSON(allow_null=True),
        "looked_at": MOMENT(allow_null=True),
        "steps": a_list(JSON()),
    },
)
PAGE: Final = inline_serializer("RolloutPage", {"results": a_list(SUMMARY), "next": TEXT(allow_null=True)})


@extend_schema_view(
    get=extend_schema(
        operation_id="rollouts_list",
        summary="Rollouts, newest first",
        parameters=[
            OpenApiParameter("state", str, enum=STATES),
            OpenApiParameter("route", str),
            OpenApiParameter("release", str, description="The id of a release."),
            *PAGED,
        ],
        responses=PAGE,
    )
)
class Rollouts(Call):
    """The rollouts of this organization."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW}

    def get(self, request: Request) -> Response:
        """A page."""
        rows = rollouts_of(self.actor.organization)
        wanted = request.query_params
        if state := wanted.get("state"):
            if state not in STATES:
                raise invalid("state", f"Use one of {', '.join(STATES)}.")
            rows = rows.filter(state=state)
        if route := wanted.get("route"):
            rows = rows.filter(route_id=route)
        if release := wanted.get("release"):
            rows = rows.filter(release_id=release)
        return Response(listed(request, rows, summary_as_json))


@extend_schema_view(
    get=extend_schema(
        summary="A rollout: state, checkpoint, monitors with reasons, and what it waits for", responses=ROLLOUT
    )
)
class OneRollout(Call):
    """A rollout."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW}

    def get(self, request: Request, rollout: str) -> Response:
        """As it is now."""
        return Response(rollout_as_json(rollout_named(self.actor.organization, rollout)))


@extend_schema_view(
    post=extend_schema(
        summary="Pause, resume, promote or halt a rollout",
        description=(
            "Each with a `reason`. 409 carries the fresh state: the rollout has moved on from `expected_version`, is "
            "over, or a stronger rule overtook the command. To resume and promote takes a person."
        ),
        request=OrderInput,
        responses=ROLLOUT,
    )
)
class RolloutCommand(CommandCall):
    """A person's command."""

    permissions: ClassVar[Mapping[str, Permission]] = {"POST": WRITE_ROLLOUTS}

    def command(self, request: Request, **kwargs: str) -> Response:
        """Carry it out. A conflict is answered, not raised: what overtook the command stays."""
        if kwargs["command"] not in COMMANDS:
            raise NotFound(f"A rollout knows no {kwargs['command']}; use {', '.join(COMMANDS)}.")
        known = rollout_named(self.actor.organization, kwargs["rollout"])
        said = self.read(OrderInput)
        row, conflict = attempt(
            actor=self.actor,
            rollout_id=known.pk,
            name=kwargs["command"],
            reason=said["reason"],
            expected_version=said.get("expected_version"),
        )
        if conflict is not None:
            return Response(problem_of(conflict), status=409, content_type="application/problem+json")
        return Response(rollout_as_json(row))


def summary_as_json(row: Rollout) -> dict[str, Any]:
    """A rollout in a list."""
    value = value_of(row)
    moving = not value.over and not value.held
    return {
        "rollout_id": row.pk,
        "application": row.application.slug,
        "route": row.route_id,
        "release_id": row.release_id,
        "release": row.release.name,
        "manifest_sha256": row.release.manifest_sha256,
        "previous_release": row.previous.manifest_sha256 if row.previous else None,
        "checkpoints": row.plan,
        "next_checkpoint_at": timestamp(next_checkpoint_at(row)) if moving else None,
        "started_at": timestamp(row.started_at),
        "started_by": row.started_by,
        "ended_at": timestamp(row.ended_at) if row.ended_at else None,
        "override": row.override,
        **{key: content for key, content in value.as_json().items() if key in SUMMARY_FIELDS},
        "entered_at": timestamp(row.entered_at),
    }


def rollout_as_json(row: Rollout) -> dict[str, Any]:
    """A rollout with its monitors: read now while it runs, as they were at the end where it is over."""
    live = None if row.is_over else look_at(row, now())
    last = row.look or {}
    return {
        **summary_as_json(row),
        "settings": row.settings,
        "monitors": last.get("monitors"),
        "requests": live.measured.requests if live else last.get("requests"),
        "waiting_for": live.waiting.as_json() if live else None,
        "looked_at": timestamp(row.looked_at) if row.looked_at else None,
        "steps": [step_as_json(step) for step in steps_of(row)],
    }


def step_as_json(step: RolloutStep) -> dict[str, Any]:
    """One move of a rollout."""
    return {
        "version": step.version,
        "act": step.act,
        "state": step.state,
        "checkpoint": step.checkpoint,
        "percent": step.percent,
        "reasons": step.reasons,
        "by": step.actor,
        "at": timestamp(step.at),
        "receipt": step.receipt_hash,
    }
