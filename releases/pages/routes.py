"""Page: one route: what serves it, since when and by whose decision, what rolls out on it, what it served before."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from relcontrol.accounts.models import Organization, Route
from relcontrol.accounts.permissions import READ_AUDIT, VIEW, WRITE_ROLLOUTS, Allowed, Denied
from relcontrol.accounts.selectors import found, routes_of
from relcontrol.clock import now
from relcontrol.web.pages import PageRequest, page
from releases.models import Release
from releases.pages.paths import address, one_page
from releases.pages.rollout_gateways import gateways
from releases.pages.rollout_list import line_of
from releases.pages.traces import share_line
from releases.pages.wording import event_words
from releases.rolling.following import timeline_of
from releases.rolling.selectors import rollouts_of, servings_of
from releases.rollout_models import OVER, Rollback, Serving
from releases.routing.replicas import acknowledged, draining
from releases.selectors import serving
from releases.traces.unassigned import shares_of_unassigned

ROLLBACKS_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Served:
    """A line of the history."""

    row: Serving
    words: str
    by: str
    why: str


@require_safe
@page(VIEW)
def route(request: PageRequest, route: str) -> HttpResponse:
    """The route."""
    row = route_of(request.actor.organization, route)
    at, stable = now(), serving(row)
    shown, next_cursor = one_page(request, servings_of(row))
    current = servings_of(row).filter(until__isnull=True).first()
    running = rollouts_of(row.organization).filter(route=row).exclude(state__in=OVER).first()
    answer = request.actor.may(WRITE_ROLLOUTS)
    context = {
        "route": row,
        "title": _title(row, stable, running is not None),
        "stable": stable,
        "current": _served(current) if current else None,
        "running": [line_of(running)] if running else [],
        "history": [_served(each) for each in shown],
        "next_cursor": next_cursor,
        "rollbacks": [(each, *_came_through(each, at), timeline_of(each)) for each in rollbacks_of(row)],
        "denied": answer.reason if isinstance(answer, Denied) else "",
        "may_audit": isinstance(request.actor.may(READ_AUDIT), Allowed),
        "crumbs": crumbs(request, row),
        "shares": [share_line(request, share) for share in shares_of_unassigned(row.organization, at, route=row.pk)],
        **gateways(row.organization, at),
    }
    return render(request, "releases/routes/route.html", context)


def route_of(organization: Organization, key: str) -> Route:
    """The route with this id."""
    return found(routes_of(organization).select_related("organization"), "route", pk=key)


def rollbacks_of(route: Route) -> Iterable[Rollback]:
    """The newest rollbacks of a route, rehearsed ones too."""
    rows = Rollback.objects.filter(route=route).order_by("-pk").defer("left__manifest", "target__manifest")
    return rows.select_related("organization", "left", "target", "worst")[:ROLLBACKS_SHOWN]


def crumbs(request: PageRequest, row: Route, *trail: tuple[str, str | None]) -> list[tuple[str, str | None]]:
    """The way from the rollouts to here."""
    own = address(request, "route", route=row.pk) if trail else None
    return [("Roll", address(request, "roll")), (f"{row.application.slug}: {row.name}", own), *trail]


def _title(row: Route, stable: Release | None, rolling: bool) -> str:
    if stable is None:
        return f"Nothing serves {row.name}." if not rolling else f"{row.name} is at its first rollout."
    return f"{stable.name} serves {row.name}."


def _served(row: Serving) -> Served:
    if row.decided_by == "internal":
        return Served(row, event_words(row.event), "by rule", row.reason.removeprefix("By rule: "))
    return Served(row, event_words(row.event), row.decided_by_label, row.reason)


def _came_through(row: Rollback, at: datetime) -> tuple[str, str]:
    """How far a rollback has come: decided, acknowledged n of m, drained."""
    if row.rehearsed:
        return "skip", "Rehearsed: nothing was changed"
    if row.reconciled_receipt_hash:
        return ("pass", "Came through") if row.drained_at else ("hold", "Not confirmed by every gateway")
    done, of = acknowledged(row.organization, row.generation, at)
    busy = draining(row.organization, row.left.manifest_sha256, at)
    if not of:
        return "hold", "No live gateway reports, so it is not known who has it"
    said = f"{done} of {of} live gateways have it"
    if busy:
        return "running", f"{said}; {busy:,} requests of {row.left.name} are being finished"
    return ("pass" if done == of else "running"), f"{said}; nothing of {row.left.name} is in flight"
