"""Page: every route with what watches it: armed or not and why, its worst slice, what that costs, the last rollback."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from relcontrol.accounts.models import Organization, Route
from relcontrol.accounts.permissions import VIEW
from relcontrol.accounts.selectors import routes_of
from relcontrol.clock import now
from relcontrol.web.pages import PageRequest, page
from releases.models import Release
from releases.observer_models import ObservedSlice, Observer
from releases.observing.selectors import observers_now, observers_of, slices_of
from releases.pages.observe.slices import Line, lines_of
from releases.pages.paths import address, with_query
from releases.rollout_models import Rollback
from releases.selectors import serving_of

HOUR: Final = timedelta(hours=1)
HOURS_A_DAY: Final = 24
SHOWN: Final = {
    "": "All",
    "below": "Below their floor",
    "armed": "Armed",
    "not-armed": "Not armed",
    "unwatched": "Not watched",
}


@dataclass(frozen=True, slots=True)
class Watched:
    """One route of the list. `state` is one of the keys of `SHOWN` that it is under, beside "below"."""

    route: Route
    release: Release | None
    observer: Observer | None
    state: str
    kind: str
    word: str
    why: str
    worst: Line | None
    calls: float | None
    rollback: Rollback | None

    def belongs_to(self, shown: str) -> bool:
        """Whether a choice of the list shows it."""
        below = self.worst is not None and self.worst.row.streak > 0
        return shown in ("", self.state) or (shown == "below" and below)


@require_safe
@page(VIEW)
def observe(request: PageRequest) -> HttpResponse:
    """The list; `?show=` narrows it."""
    organization = request.actor.organization
    wanted = request.GET.get("show", "")
    shown = wanted if wanted in SHOWN else ""
    routes = watched_routes(organization, now())
    own = address(request, "observe")
    context = {
        "title": title_of(routes),
        "routes": [route for route in routes if route.belongs_to(shown)],
        "any_route": bool(routes),
        "begun": observers_of(organization).exists(),
        "tabs": [(word, with_query(own, show=key), key == shown) for key, word in SHOWN.items()],
        "own": own,
    }
    return render(request, "releases/observe/observe.html", context)


def title_of(routes: Sequence[Watched]) -> str:
    """The page's verdict."""
    serving = [route for route in routes if route.release is not None]
    if not serving:
        return "No route serves anything, so nothing is watched."
    below = [route for route in serving if route.belongs_to("below")]
    if below:
        return f"{_routes(len(below))} answer{'s' if len(below) == 1 else ''} below {_its(len(below))} floor."
    armed, serve = sum(route.state == "armed" for route in serving), f"serve{'s' if len(serving) == 1 else ''}"
    if armed == len(serving):
        return f"Automatic rollback is armed on {'the route' if armed == 1 else f'all {armed} routes'} that {serve}."
    if not armed:
        return "Automatic rollback is armed nowhere."
    return f"Automatic rollback is armed on {armed} of {len(serving)} routes that {serve}."


def _routes(count: int) -> str:
    return "One route" if count == 1 else f"{count} routes"


def _its(count: int) -> str:
    return "its" if count == 1 else "their"


def watched_routes(organization: Organization, at: datetime) -> list[Watched]:
    """Every route, those that need somebody first."""
    routes, watching = list(routes_of(organization)), observers_now(organization)
    lines = _lines(organization, list(watching.values()), at)
    stable, last = serving_of(routes), _last_rollbacks(routes)
    rows = [
        _watched(route, stable.get(route.pk), watching.get(route.pk), lines, last.get(route.pk), at) for route in routes
    ]
    return sorted(rows, key=_gravity)


def _gravity(row: Watched) -> tuple[bool, tuple[int, float], str]:
    grave = row.worst.standing.gravity if row.worst else (9, 0.0)
    return row.release is None, grave, row.route.name


def _lines(organization: Organization, observers: Sequence[Observer], at: datetime) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = {}
    for line in lines_of(organization, slices_of(observers), at, HOUR):
        found.setdefault(line.row.observer_id, []).append(line)
    return found


def _last_rollbacks(routes: Sequence[Route]) -> dict[str, Rollback]:
    rows = Rollback.objects.filter(route__in=[route.pk for route in routes], rehearsed=False)
    newest = rows.order_by("route", "-pk").distinct("route").select_related("left", "target")
    return {row.route_id: row for row in newest.defer("left__manifest", "target__manifest")}


def _watched(
    route: Route,
    release: Release | None,
    observer: Observer | None,
    lines: Mapping[str, Sequence[Line]],
    rollback: Rollback | None,
    at: datetime,
) -> Watched:
    own = lines.get(observer.pk, ()) if observer else ()
    state, kind, word, why = _state(release, observer, [line.row for line in own])
    calls = float(sum(line.asked for line in own) * HOURS_A_DAY) if own else None
    return Watched(route, release, observer, state, kind, word, why, own[0] if own else None, calls, rollback)


def _state(
    release: Release | None, observer: Observer | None, rows: Sequence[ObservedSlice]
) -> tuple[str, str, str, str]:
    if release is None:
        return "unwatched", "skip", "Not serving", "The route serves nothing."
    if observer is None:
        return "unwatched", "running", "Not yet", "Watching begins within seconds of a release's serving."
    if not rows:
        return "unwatched", "hold", "Not watched", "No slice with a threshold takes live requests."
    refused = [row for row in rows if not row.armed]
    if not refused:
        return "armed", "pass", "Armed", f"on {len(rows)} slice{'' if len(rows) == 1 else 's'}"
    word = "Not armed" if len(refused) == len(rows) else f"Armed on {len(rows) - len(refused)} of {len(rows)}"
    return ("not-armed" if len(refused) == len(rows) else "armed"), "hold", word, refused[0].why
