"""Which route a request takes (gateway.md "A request", step 2).

The header `x-relcontrol-route`, else `metadata.route`, else the key's route, else the application's default. A route is
named by its id, its name, or its whole routing as `key=value,key=value`.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from releases.gateway.control.snapshot import ApplicationEntry, RouteEntry, Snapshot
from releases.gateway.errors import SERVER, GatewayError

SHOWN: Final = 200
SHOWN_ROUTES: Final = 20


def route_for(
    snapshot: Snapshot, application: ApplicationEntry, *, header: str | None, body: Mapping[str, Any]
) -> RouteEntry:
    """The route of a request; 404 with the routes that exist where the named one does not."""
    wanted = _wanted(header, body)
    if wanted is not None:
        return _named(snapshot, application, wanted)
    ruled = application.key_route or application.default_route
    route = snapshot.route(ruled) if ruled else None
    if route is None:
        message = f"The application {application.slug} has no default route. {_existing(snapshot, application)}"
        raise GatewayError(404, message, code="route_not_found")
    return route


def _wanted(header: str | None, body: Mapping[str, Any]) -> str | None:
    if header is not None and header.strip():
        return header.strip()
    metadata = body.get("metadata")
    named = metadata.get("route") if isinstance(metadata, Mapping) else None
    return named.strip() if isinstance(named, str) and named.strip() else None


def _named(snapshot: Snapshot, application: ApplicationEntry, wanted: str) -> RouteEntry:
    routes = snapshot.routes_of(application.id)
    for route in routes:
        if wanted in (route.id, route.name):
            return route
    pairs = _pairs(wanted)
    for route in routes:
        if pairs is not None and dict(route.routing) == pairs:
            return route
    message = f"There is no route {json.dumps(wanted[:SHOWN])}. {_existing(snapshot, application)}"
    raise GatewayError(404, message, code="route_not_found", param="x-relcontrol-route")


def _pairs(text: str) -> dict[str, str] | None:
    """`key=value,key=value` as a routing; None where it is not written so."""
    entries = [entry.partition("=") for entry in text.split(",")]
    if not all(equals and key.strip() for key, equals, _ in entries):
        return None
    return {key.strip(): value.strip() for key, _, value in entries}


def _existing(snapshot: Snapshot, application: ApplicationEntry) -> str:
    names = [route.name for route in snapshot.routes_of(application.id)]
    if not names:
        return f"The application {application.slug} has no routes yet."
    more = f" and {len(names) - SHOWN_ROUTES} more" if len(names) > SHOWN_ROUTES else ""
    return f"Routes of {application.slug}: {', '.join(names[:SHOWN_ROUTES])}{more}."


def nothing_serves(route: RouteEntry) -> GatewayError:
    """A route on which no release is stable yet."""
    message = f"No release serves the route {route.name} yet. Roll one out to it first."
    return GatewayError(503, message, code="no_release", kind=SERVER, headers={"retry-after": "5"})
