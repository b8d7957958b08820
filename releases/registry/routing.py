"""Which route a release is for: the one of its application whose routing is exactly the release's."""

import json
from collections.abc import Mapping
from typing import Any, Final

from audit.administration.applications import checked_routing
from relcontrol.accounts.models import Application, Route
from relcontrol.errors import Invalid, invalid

SHOWN: Final = 20


def locked_route(application: Application, routing: Mapping[str, Any]) -> Route:
    """The route, locked: what it serves and which release was its last stand still until the transaction ends."""
    wanted = checked_routing(routing)
    rows = Route.objects.select_for_update(of=("self",), no_key=True).select_related("application", "organization")
    route = rows.filter(application=application, routing=wanted).first()
    if route is None:
        raise _unknown_route(application, wanted)
    return route


def _unknown_route(application: Application, routing: Mapping[str, str]) -> Invalid:
    routes = Route.objects.filter(application=application).order_by("name")[:SHOWN]
    known = ", ".join(json.dumps(route.routing, ensure_ascii=False) for route in routes) or "none yet"
    message = (
        f"{application.slug} has no route {json.dumps(dict(routing), ensure_ascii=False)}. Its routes: {known}. "
        "An administrator makes one with POST /v1/routes."
    )
    return invalid("routing", message, code="unknown_route")
