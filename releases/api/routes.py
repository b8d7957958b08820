"""REST: what a route serves, now or at a time, and rolling it back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Final

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.chain import timestamp
from audit.names import names_of
from relcontrol.accounts.models import Organization, Route
from relcontrol.accounts.permissions import VIEW, WRITE_ROLLOUTS, Permission
from relcontrol.accounts.selectors import found, routes_of
from relcontrol.api.calls import Call, CommandCall
from relcontrol.api.pages import moment_of
from relcontrol.clock import now
from releases.api.inputs import RollbackInput
from releases.api.lineage_shapes import APPROVAL, CITED, again
from releases.api.shapes import JSON, TEXT, a_list
from releases.lineage.as_json import (
    actors_of,
    approval_as_json,
    beside_as_json,
    cited_as_json,
    serving_then_as_json,
)
from releases.lineage.serving_then import served_at
from releases.models import Release
from releases.rolling.following import Moment, timeline_of
from releases.rolling.rolling_back import findings_of, roll_back, rollback_targets
from releases.rolling.selectors import open_rollout, servings_of
from releases.rolling.ways import ways_of
from releases.rollout_models import Rollback, Serving
from releases.routing.replicas import acknowledged, draining, replicas_of
from releases.selectors import release_named

MOMENT: Final = serializers.DateTimeField
SERVING: Final = inline_serializer(
    "Serving",
    {
        "release_id": TEXT(),
        "release": TEXT(),
        "manifest_sha256": TEXT(),
        "since": MOMENT(),
        "until": MOMENT(allow_null=True),
        "generation": serializers.IntegerField(),
        "event": TEXT(),
        "reason": TEXT(allow_blank=True),
        "decided_by": TEXT(),
        "receipt": TEXT(),
    },
    allow_null=True,  # where a route serves nothing
)
SERVED_THEN: Final = inline_serializer(
    "ServedThen",
    {
        "release_id": TEXT(allow_null=True),
        "release": TEXT(allow_null=True),
        "manifest_sha256": TEXT(),
        "since": MOMENT(),
        "until": MOMENT(allow_null=True),
        "generation": serializers.IntegerField(allow_null=True),
        "event": TEXT(),
        "reason": TEXT(allow_blank=True),
        "decided_by": TEXT(),
        "receipt": TEXT(),
    },
    allow_null=True,
)
SERVING_AT: Final = inline_serializer(
    "ServingAt",
    {
        "at": MOMENT(),
        "serving": SERVED_THEN,
        "beside": JSON(allow_null=True, help_text="The candidate that answered a share of the requests then."),
        "approved_by": a_list(again(APPROVAL)),
        "receipts": a_list(again(CITED)),
        "verified": serializers.BooleanField(help_text="Whether every receipt that the answer rests on verifies."),
        "problems": a_list(TEXT()),
    },
)
ROUTE: Final = inline_serializer(
    "RouteServing",
    {
        "route_id": TEXT(),
        "name": TEXT(),
        "application": TEXT(),
        "routing": JSON(),
        "serving": SERVING,
        "rollout": TEXT(allow_null=True),
        "generation": serializers.IntegerField(),
        "acknowledged": JSON(),
        "replicas": a_list(JSON()),
        "rollback_targets": a_list(JSON()),
        "last_rollback": JSON(allow_null=True),
    },
)
TIMELINE: Final = inline_serializer(
    "RollbackMoment",
    {
        "word": TEXT(help_text="triggered, decided, committed, acknowledged or drained."),
        "at": MOMENT(allow_null=True),
        "seconds_since_trigger": serializers.FloatField(allow_null=True),
        "said": TEXT(),
    },
)
ROLLED_BACK: Final = inline_serializer(
    "RolledBack",
    {
        "rollback_id": TEXT(),
        "rehearsed": serializers.BooleanField(),
        "left": TEXT(),
        "target": TEXT(allow_null=True),
        "generation": serializers.IntegerField(),
        "trigger": TEXT(help_text="person, windows (quality below its floor) or policy."),
        "findings": a_list(TEXT()),
        "receipt": TEXT(),
        "timeline": a_list(TIMELINE),
        "gateways": a_list(JSON()),
        "reconciled_receipt": TEXT(allow_null=True),
    },
)


def route_named(organization: Organization, key: str) -> Route:
    """The route with this id (rte_…)."""
    rows = routes_of(organization).select_related("organization", "application")
    return found(rows, "route", pk=key)


@extend_schema_view(
    get=extend_schema(
        summary="A route: what it serves, by whose decision, which gateways know, what drains", responses=ROUTE
    )
)
class OneRoute(Call):
    """A route."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW}

    def get(self, request: Request, route: str) -> Response:
        """As it is now."""
        return Response(route_as_json(route_named(self.actor.organization, route), now()))


@extend_schema_view(
    get=extend_schema(
        summary="What a route served at a time, and who approved it",
        description="Answered from signed receipts alone, which are verified again and named.",
        parameters=[OpenApiParameter("at", str, description="RFC 3339; now without it.")],
        responses=SERVING_AT,
    )
)
class ServingAt(Call):
    """What served when, by the receipts."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW}

    def get(self, request: Request, route: str) -> Response:
        """The release with its decision; null where the route served nothing."""
        row = route_named(self.actor.organization, route)
        at = moment_of(request, "at") or now()
        return Response(serving_then(row, at))


@extend_schema_view(
    post=extend_schema(
        summary="Roll a route back, or rehearse it",
        description=(
            "To any release that was stable on the route and is not marked bad; without `to`, to the previous one. A "
            "rollout on the route is aborted. 409 `no_rollback_target` lists what is possible."
        ),
        request=RollbackInput,
        responses={202: ROLLED_BACK},
    )
)
class RollBack(CommandCall):
    """A rollback."""

    permissions: ClassVar[Mapping[str, Permission]] = {"POST": WRITE_ROLLOUTS}

    def command(self, request: Request, **kwargs: str) -> Response:
        """Carry it out."""
        route, said = route_named(self.actor.organization, kwargs["route"]), self.read(RollbackInput)
        to = release_named(self.actor.organization, said["to"]) if said.get("to") else None
        row = roll_back(
            actor=self.actor, route=route, to=to, reason=said["reason"], rehearse=bool(said.get("rehearse"))
        )
        return Response(rollback_as_json(row), status=202)


def serving_then(route: Route, at: datetime) -> dict[str, Any]:
    """The answer from the receipts; of releases' own rows only names and ids are taken."""
    organization, then = route.organization, served_at(route, at)
    known = Release.objects.filter(organization=organization, manifest_sha256=then.manifest or "") if then else None
    approvals = then.approvals if then and then.manifest else ()
    names = names_of(organization, actors_of(approvals))
    return {
        "at": timestamp(at),
        "serving": serving_then_as_json(then, known.first() if known is not None else None),
        "beside": beside_as_json(then),
        "approved_by": [approval_as_json(each, names) for each in approvals],
        "receipts": [cited_as_json(each) for each in then.cited] if then else [],
        "verified": not (then and then.problems),
        "problems": list(then.problems) if then else [],
    }


def serving_at(route: Route, at: datetime) -> Serving | None:
    """What a route served at a moment."""
    row = servings_of(route).filter(since__lte=at).first()
    return row if row is not None and (row.until is None or row.until > at) else None


def serving_as_json(row: Serving | None) -> dict[str, Any] | None:
    """What served, since when, by whose decision."""
    if row is None:
        return None
    return {
        "release_id": row.release_id,
        "release": row.release.name,
        "manifest_sha256": row.release.manifest_sha256,
        "since": timestamp(row.since),
        "until": timestamp(row.until) if row.until else None,
        "generation": row.generation,
        "event": row.event,
        "reason": row.reason,
        "decided_by": row.decided_by,
        "receipt": row.receipt_hash,
    }


def rollback_as_json(row: Rollback) -> dict[str, Any]:
    """A rollback, and how far it has come as the ticker last saw it; what gateways say now is with the route."""
    return {
        "rollback_id": row.pk,
        "rehearsed": row.rehearsed,
        "left": row.left.manifest_sha256,
        "target": row.target.manifest_sha256 if row.target else None,
        "generation": row.generation,
        "decided_at": timestamp(row.decided_at),
        "trigger": str(row.trigger),
        "triggered_at": timestamp(row.triggered_at) if row.triggered_at else None,
        "reason": row.reason,
        "findings": findings_of(row, now()) if row.rehearsed else [],
        "receipt": row.receipt_hash,
        "timeline": [_moment(each) for each in timeline_of(row)],
        "gateways": [way.as_json() for way in ways_of(row)],
        "reconciled_receipt": row.reconciled_receipt_hash or None,
    }


def _moment(each: Moment) -> dict[str, Any]:
    at = timestamp(each.at) if each.at else None
    return {"word": each.word, "at": at, "seconds_since_trigger": each.seconds_since_trigger, "said": each.said}


def route_as_json(route: Route, at: datetime) -> dict[str, Any]:
    """A route with what its gateways say."""
    organization = route.organization
    running = open_rollout(route)
    rows = Rollback.objects.filter(route=route).select_related("left", "target", "organization")
    last = rows.order_by("-pk").first()
    state = getattr(organization, "routing_state", None)
    generation = state.generation if state else 0
    done, of = acknowledged(organization, generation, at)
    return {
        "route_id": route.pk,
        "name": route.name,
        "application": route.application.slug,
        "routing": route.routing,
        "serving": serving_as_json(serving_at(route, at)),
        "rollout": running.pk if running else None,
        "generation": generation,
        "acknowledged": {"replicas": done, "of": of},
        "replicas": [_replica(each) for each in replicas_of(organization, at)],
        "rollback_targets": [
            {"release_id": row.pk, "release": row.name, "manifest_sha256": row.manifest_sha256}
            for row in rollback_targets(route)
        ],
        "last_rollback": _last(last, at) if last else None,
    }


def _last(row: Rollback, at: datetime) -> dict[str, Any]:
    done, of = acknowledged(row.organization, row.generation, at)
    drains = draining(row.organization, row.left.manifest_sha256, at)
    return {**rollback_as_json(row), "acknowledged": {"replicas": done, "of": of}, "draining": drains}


def _replica(view: Any) -> dict[str, Any]:
    return {
        "replica": view.name,
        "region": view.region,
        "generation": view.generation,
        "state": view.state,
        "in_flight": view.in_flight,
        "queued": view.queued,
        "dropped": view.dropped,
    }
