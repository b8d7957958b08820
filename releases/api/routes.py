"""REST: what a route serves, now or at a time, and rolling it back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Final

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.chain import timestamp
from relcontrol.accounts.models import Organization, Route
from relcontrol.accounts.permissions import VIEW, WRITE_ROLLOUTS, Permission
from relcontrol.accounts.selectors import found, routes_of
from relcontrol.api.calls import Call, CommandCall
from relcontrol.api.pages import moment_of
from relcontrol.clock import now
from releases.api.inputs import RollbackInput
from releases.api.shapes import JSON, TEXT, a_list
from releases.rolling.rolling_back import findings_of, roll_back, rollback_targets
from releases.rolling.selectors import open_rollout, servings_of
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
SERVING_AT: Final = inline_serializer("ServingAt", {"at": MOMENT(), "serving": SERVING})
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
ROLLED_BACK: Final = inline_serializer(
    "RolledBack",
    {
        "rollback_id": TEXT(),
        "rehearsed": serializers.BooleanField(),
        "left": TEXT(),
        "target": TEXT(allow_null=True),
        "generation": serializers.IntegerField(),
        "findings": a_list(TEXT()),
        "receipt": TEXT(),
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
        summary="What a route served at a time, and who decided it",
        parameters=[OpenApiParameter("at", str, description="RFC 3339; now without it.")],
        responses=SERVING_AT,
    )
)
class ServingAt(Call):
    """What served when."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW}

    def get(self, request: Request, route: str) -> Response:
        """The release with its decision; null where the route served nothing."""
        row = route_named(self.actor.organization, route)
        at = moment_of(request, "at") or now()
        return Response({"at": timestamp(at), "serving": serving_as_json(serving_at(row, at))})


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
    """A rollback as it was decided; what gateways have made of it is with the route."""
    return {
        "rollback_id": row.pk,
        "rehearsed": row.rehearsed,
        "left": row.left.manifest_sha256,
        "target": row.target.manifest_sha256 if row.target else None,
        "generation": row.generation,
        "decided_at": timestamp(row.decided_at),
        "reason": row.reason,
        "findings": findings_of(row, now()) if row.rehearsed else [],
        "receipt": row.receipt_hash,
    }


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
