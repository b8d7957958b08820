"""`GET /v1/models`: what a key may ask for, in OpenAI's form: the routes of its application, and their releases."""

from typing import Any, Final

from releases.gateway.control.snapshot import ApplicationEntry, RouteEntry, Snapshot
from releases.gateway.errors import GatewayError

SHA_SHOWN: Final = 12
SHOWN: Final = 200
_CREATED: Final = 0  # a routing snapshot knows no birthdays; the form wants a number


def models(snapshot: Snapshot, application: ApplicationEntry) -> dict[str, Any]:
    """The list."""
    routes = snapshot.routes_of(application.id)
    served = {sha: route for route in routes for sha in _serving(route)}
    listed = [_route(route, application) for route in routes]
    listed += [_release(snapshot, sha, route, application) for sha, route in sorted(served.items())]
    return {"object": "list", "data": listed}


def model(snapshot: Snapshot, application: ApplicationEntry, name: str) -> dict[str, Any]:
    """One of the list, by the name that stands there; 404 for any other."""
    for entry in models(snapshot, application)["data"]:
        if entry["id"] == name:
            found: dict[str, Any] = entry
            return found
    message = f"The model `{name[:SHOWN]}` does not exist or you do not have access to it."
    raise GatewayError(404, message, code="model_not_found", param="model")


def _serving(route: RouteEntry) -> list[str]:
    candidate = route.candidate.release if route.candidate and route.candidate.basis_points else None
    return [sha for sha in (route.stable, candidate) if sha]


def _route(route: RouteEntry, application: ApplicationEntry) -> dict[str, Any]:
    return {**_entry(route.name, application), "route": route.id, "routing": dict(route.routing)}


def _release(snapshot: Snapshot, sha: str, route: RouteEntry, application: ApplicationEntry) -> dict[str, Any]:
    release = snapshot.release(sha)
    return {**_entry(sha[:SHA_SHOWN], application), "route": route.id, "release": release.name}


def _entry(name: str, application: ApplicationEntry) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": _CREATED, "owned_by": application.slug}
