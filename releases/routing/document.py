"""What the gateways of one organization are told at one generation, as bytes (gateway.md "The snapshot").

Read in one repeatable-read transaction by a fixed number of queries. The bytes are a function of the rows alone: lists
are sorted by id, and "lately staged" is counted from when the generation was made, never from now.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import rfc8785
from django.db import connection, transaction

from audit.chain import timestamp
from relcontrol.accounts.models import Application, ApplicationKey, Endpoint, Organization, Route, RoutingState
from releases.bucketing import FUNCTION, FUNCTION_VERSION
from releases.models import Release
from releases.rollout_models import OVER, Rollout
from releases.routing.candidates import candidate_of
from releases.routing.carried import CarriedRelease, carried_releases
from releases.routing.serving import Served, endpoint_still

SCHEMA: Final = "relcontrol/routing/v1"
FIRST: Final = (1, 1)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RoutingDocument:
    """The payload of a snapshot: canonical bytes (RFC 8785) and where they stand in time."""

    epoch: int
    generation: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class _Rows:
    """Everything that is read."""

    state: RoutingState
    applications: Sequence[Application]
    keys: Sequence[ApplicationKey]
    routes: Sequence[Route]
    rollouts: Mapping[str, Rollout]
    endpoints: Sequence[Endpoint]
    releases: Sequence[CarriedRelease]


def routing_document(organization: Organization) -> RoutingDocument:
    """The document of the present generation. Inside of a transaction of the caller, it is read by that one's rules."""
    with _one_moment():
        rows = _read(organization)
    document = _document(organization, rows)
    return RoutingDocument(rows.state.epoch, rows.state.generation, rfc8785.dumps(document))


def state_of(organization: Organization) -> RoutingState:
    """The generation of the organization; before its first change it stands at the first one."""
    row = RoutingState.objects.filter(organization=organization).first()
    epoch, generation = FIRST
    return row or RoutingState(
        organization=organization, epoch=epoch, generation=generation, changed_at=organization.created_at
    )


@contextmanager
def _one_moment() -> Iterator[None]:
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def _read(organization: Organization) -> _Rows:
    state = state_of(organization)
    rollouts = Rollout.objects.filter(organization=organization).exclude(state__in=OVER).select_related("release")
    open_ones = {row.route_id: row for row in rollouts.defer("release__manifest", "look")}
    return _Rows(
        state=state,
        applications=_by_id(Application.objects.filter(organization=organization)),
        keys=_by_id(ApplicationKey.objects.filter(organization=organization, revoked_at__isnull=True)),
        routes=_by_id(Route.objects.filter(organization=organization)),
        rollouts=open_ones,
        endpoints=_by_id(Endpoint.objects.filter(organization=organization)),
        releases=carried_releases(
            organization, at=state.changed_at, candidates=[row.release_id for row in open_ones.values()]
        ),
    )


def _by_id(rows: Any) -> list[Any]:
    """Sorted here, because the database's collation is its own."""
    return sorted(rows, key=lambda row: row.pk)


def _document(organization: Organization, rows: _Rows) -> dict[str, Any]:
    releases = {one.row.manifest_sha256: _release(one, rows.endpoints) for one in rows.releases}
    served = {sha: release for sha, release in releases.items() if release is not None}
    stable = {
        one.row.route_id: one.row.manifest_sha256
        for one in rows.releases
        if one.row.delivery == Release.Delivery.STABLE and one.row.manifest_sha256 in served
    }
    return {
        "schema": SCHEMA,
        "organization": organization.slug,
        "origin": organization.origin,
        "epoch": rows.state.epoch,
        "generation": rows.state.generation,
        "changed_at": timestamp(rows.state.changed_at),
        "assignment": {"function": FUNCTION, "version": FUNCTION_VERSION},
        "applications": [_application(row, rows) for row in rows.applications],
        "routes": [_route(row, stable, rows.rollouts.get(row.pk), served) for row in rows.routes],
        "releases": served,
        "endpoints": {row.name: _endpoint(row) for row in rows.endpoints},
    }


def _application(row: Application, rows: _Rows) -> dict[str, Any]:
    defaults = [route.pk for route in rows.routes if route.application_id == row.pk and route.is_default]
    keys = [key for key in rows.keys if key.application_id == row.pk]
    return {
        "id": row.pk,
        "slug": row.slug,
        "default_route": defaults[0] if defaults else None,
        "client_settings": sorted(row.client_settings),
        "keys": [{"id": key.pk, "sha256": key.key_sha256, "route": key.route_id} for key in keys],
    }


def _route(
    row: Route, stable: Mapping[str, str], rollout: Rollout | None, served: Mapping[str, object]
) -> dict[str, Any]:
    candidate = candidate_of(rollout) if rollout is not None else None
    return {
        "id": row.pk,
        "application": row.application_id,
        "name": row.name,
        "routing": row.routing,
        "stable": stable.get(row.pk),
        "candidate": candidate if candidate and candidate["release"] in served else None,
    }


def _release(one: CarriedRelease, endpoints: Sequence[Endpoint]) -> dict[str, Any] | None:
    """What a gateway needs to answer by this release; none where no endpoint serves its model, which is logged."""
    answer = endpoint_still(endpoints, one.row.model_ref)
    if not isinstance(answer, Served):
        logger.error("release %s is left out of the routing: %s", one.row.manifest_sha256, answer.sentence)
        return None
    return {
        "name": one.row.name,
        "bundle_sha256": one.row.bundle_sha256,
        "manifest": one.manifest,
        "artifacts": one.artifacts,
        "endpoint": answer.endpoint.name,
        "model": answer.model,
    }


def _endpoint(row: Endpoint) -> dict[str, Any]:
    return {"base_url": row.base_url, "protocol": str(row.protocol), "credential": row.credential}
