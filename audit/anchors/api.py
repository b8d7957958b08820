"""REST: when and by whom the log is anchored, what became of it, and to anchor now."""

from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.administration.api import READ_AND_ADMINISTER, page_of
from audit.anchor_models import Anchor, AnchorSchedule, AnchorSink, Checkpoint
from audit.anchors.checkpoints import anchor_now
from audit.anchors.schedules import PERIODS, as_json, set_schedule
from audit.anchors.selectors import anchors_of, schedule_of, sinks_of
from audit.anchors.sinks import add_sink, change_sink
from relcontrol.accounts.permissions import ADMINISTER, READ_AUDIT, VIEW, Permission
from relcontrol.accounts.selectors import found
from relcontrol.api.calls import Call, CommandCall
from relcontrol.api.inputs import Input, Structure, Text, Truth, Whole
from relcontrol.api.pages import PAGED, listed

SCHEDULE = inline_serializer(
    "AnchorSchedule",
    {
        "revision": serializers.IntegerField(),
        "every_receipts": serializers.IntegerField(allow_null=True),
        "every_minutes": serializers.IntegerField(allow_null=True),
        "on_promotion": serializers.BooleanField(),
        "on_rollback": serializers.BooleanField(),
        "overdue_minutes": serializers.IntegerField(),
    },
)
SINK = inline_serializer(
    "AnchorSink",
    {
        "sink_id": serializers.CharField(),
        "name": serializers.CharField(),
        "kind": serializers.ChoiceField(AnchorSink.Kind.choices),
        "settings": serializers.JSONField(),
        "enabled": serializers.BooleanField(),
        "revision": serializers.IntegerField(),
        "created_at": serializers.DateTimeField(),
    },
)
ANCHOR = inline_serializer(
    "Anchor",
    {
        "anchor_id": serializers.CharField(),
        "checkpoint_id": serializers.CharField(),
        "size": serializers.IntegerField(),
        "root": serializers.CharField(),
        "sink": serializers.CharField(),
        "kind": serializers.ChoiceField(AnchorSink.Kind.choices),
        "state": serializers.ChoiceField(Anchor.State.choices),
        "created_at": serializers.DateTimeField(),
        "failures": serializers.IntegerField(),
        "problem": serializers.CharField(allow_null=True),
        "next_at": serializers.DateTimeField(allow_null=True),
        "proved_at": serializers.DateTimeField(allow_null=True),
        "made_at": serializers.DateTimeField(allow_null=True),
        "evidence_sha256": serializers.CharField(allow_null=True),
        "receipt_hash": serializers.CharField(allow_null=True),
    },
)
CHECKPOINT = inline_serializer(
    "AnchorCheckpoint",
    {
        "checkpoint_id": serializers.CharField(),
        "size": serializers.IntegerField(),
        "root": serializers.CharField(),
        "note": serializers.CharField(),
        "reason": serializers.ChoiceField(Checkpoint.Reason.choices),
        "created_at": serializers.DateTimeField(),
    },
)


def _period(name: str) -> Whole:
    least, most = PERIODS[name]
    return Whole(required=False, allow_null=name != "overdue_minutes", min_value=least, max_value=most)


class ScheduleInput(Input):
    """Fields that are left out stay; null for a period: never for this reason."""

    every_receipts = _period("every_receipts")
    every_minutes = _period("every_minutes")
    overdue_minutes = _period("overdue_minutes")
    on_promotion = Truth(required=False)
    on_rollback = Truth(required=False)
    expected_revision = Whole(required=False, min_value=0)


class SinkInput(Input):
    """A new sink, with the settings of its kind.

    rfc3161 `{url, roots, policy}` (PEM texts; an OID or null), witness `{url, name, public_key}` (or the verifier key
    alone as `public_key`), webhook `{url, secret_name}`, file `{folder}`.
    """

    name = Text(max_length=100)
    kind = serializers.ChoiceField(AnchorSink.Kind.choices)
    settings = Structure()


class SinkChange(Input):
    """Changed fields; `settings` as a whole."""

    name = Text(max_length=100, required=False)
    settings = Structure(required=False)
    enabled = Truth(required=False)
    expected_revision = Whole(required=False, min_value=0)


class AnchorNowInput(Input):
    """With `if_new` nothing is made where the newest checkpoint covers all receipts but those of anchors."""

    if_new = Truth(required=False)


@extend_schema_view(
    get=extend_schema(summary="When the log is anchored", responses=SCHEDULE),
    put=extend_schema(summary="Set when the log is anchored", request=ScheduleInput, responses=SCHEDULE),
)
class Schedule(Call):
    """The schedule of this organization."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW, "PUT": ADMINISTER}

    def get(self, request: Request) -> Response:
        """What is set."""
        return Response(schedule_as_json(schedule_of(self.actor.organization)))

    def put(self, request: Request) -> Response:
        """Set it."""
        return Response(schedule_as_json(set_schedule(actor=self.actor, **self.read(ScheduleInput))))


@extend_schema_view(
    get=extend_schema(summary="Anchor sinks", parameters=PAGED, responses=page_of("AnchorSinkPage", SINK)),
    post=extend_schema(summary="Add an anchor sink", request=SinkInput, responses={201: SINK}),
)
class Sinks(CommandCall):
    """Who is given the heads of the log."""

    permissions: ClassVar[Mapping[str, Permission]] = READ_AND_ADMINISTER

    def get(self, request: Request) -> Response:
        """A page."""
        return Response(listed(request, sinks_of(self.actor.organization), sink_as_json))

    def command(self, request: Request, **kwargs: str) -> Response:
        """Add one."""
        return Response(sink_as_json(add_sink(actor=self.actor, **self.read(SinkInput))), 201)


@extend_schema_view(patch=extend_schema(summary="Change an anchor sink", request=SinkChange, responses=SINK))
class OneSink(Call):
    """One sink."""

    permissions: ClassVar[Mapping[str, Permission]] = {"PATCH": ADMINISTER}

    def patch(self, request: Request, sink: str) -> Response:
        """Change it, or switch it off or on."""
        row = found(sinks_of(self.actor.organization), "anchor sink", pk=sink)
        return Response(sink_as_json(change_sink(actor=self.actor, sink=row, **self.read(SinkChange))))


@extend_schema_view(
    get=extend_schema(
        summary="Anchors, newest first",
        parameters=[OpenApiParameter("state", str, enum=Anchor.State.values), *PAGED],
        responses=page_of("AnchorPage", ANCHOR),
    ),
    post=extend_schema(summary="Anchor now", request=AnchorNowInput, responses={202: CHECKPOINT}),
)
class Anchors(CommandCall):
    """What the sinks were given, and what they made of it."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": READ_AUDIT, "POST": ADMINISTER}

    def get(self, request: Request) -> Response:
        """A page."""
        rows = anchors_of(self.actor.organization)
        if state := request.query_params.get("state", ""):
            rows = rows.filter(state=state)
        return Response(listed(request, rows, anchor_as_json))

    def command(self, request: Request, **kwargs: str) -> Response:
        """Give the present head to every sink that is switched on."""
        body = self.read(AnchorNowInput) if self.request._request.body else {}
        return Response(checkpoint_as_json(anchor_now(actor=self.actor, **body)), 202)


def schedule_as_json(row: AnchorSchedule) -> dict[str, Any]:
    """The schedule with its revision."""
    return {"revision": row.revision, **as_json(row)}


def sink_as_json(row: AnchorSink) -> dict[str, Any]:
    """A sink; secrets are names only."""
    return {
        "sink_id": row.pk,
        "name": row.name,
        "kind": row.kind,
        "settings": row.settings,
        "enabled": row.enabled,
        "revision": row.revision,
        "created_at": row.created_at,
    }


def anchor_as_json(row: Anchor) -> dict[str, Any]:
    """An anchor, without its evidence."""
    return {
        "anchor_id": row.pk,
        "checkpoint_id": row.checkpoint_id,
        "size": row.checkpoint.size,
        "root": row.checkpoint.root,
        "sink": row.sink.name,
        "kind": row.sink.kind,
        "state": row.state,
        "created_at": row.created_at,
        "failures": row.failures,
        "problem": row.last_problem or None,
        "next_at": None if row.is_over else row.next_at,
        "proved_at": row.proved_at,
        "made_at": row.made_at,
        "evidence_sha256": row.evidence_sha256 or None,
        "receipt_hash": row.receipt.receipt_hash if row.receipt else None,
    }


def checkpoint_as_json(row: Checkpoint) -> dict[str, Any]:
    """A checkpoint with its signed note."""
    return {
        "checkpoint_id": row.pk,
        "size": row.size,
        "root": row.root,
        "note": row.note,
        "reason": row.reason,
        "created_at": row.created_at,
    }
