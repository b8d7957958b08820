"""Page: the rollouts, running ones first; and the newest rollout of a release, as its tab shows it."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from relcontrol.accounts.permissions import VIEW, WRITE_ROLLOUTS, Denied
from relcontrol.accounts.selectors import routes_of
from relcontrol.web.pages import PageRequest, page
from releases.bucketing import BASIS_POINTS_PER_PERCENT
from releases.models import Release
from releases.pages.paths import one_page
from releases.pages.rollout_wording import STATE_STATUS
from releases.rolling.selectors import rollouts_of
from releases.rolling.storing import value_of
from releases.rollout_models import OVER, Rollout
from releases.selectors import serving_of


@dataclass(frozen=True, slots=True)
class Line:
    """One rollout of the list; of one that is over, its route says what answers now."""

    row: Rollout
    kind: str
    word: str
    percent: float | None
    why: str


@require_safe
@page(VIEW)
def rollouts(request: PageRequest) -> HttpResponse:
    """Running rollouts, then what each route serves, then those that are over."""
    organization = request.actor.organization
    every = rollouts_of(organization)
    shown, next_cursor = one_page(request, every.filter(state__in=OVER))
    routes = list(routes_of(organization))
    stable = serving_of(routes)
    answer = request.actor.may(WRITE_ROLLOUTS)
    context = {
        "running": [line_of(row) for row in every.exclude(state__in=OVER)],
        "over": [line_of(row) for row in shown],
        "next_cursor": next_cursor,
        "routes": [(route, stable.get(route.pk)) for route in routes],
        "denied": answer.reason if isinstance(answer, Denied) else "",
    }
    return render(request, "releases/rollouts/rollouts.html", context)


def line_of(row: Rollout) -> Line:
    """A rollout in one line."""
    value = value_of(row)
    kind, word = STATE_STATUS[value.state]
    percent = None if value.over else value.basis_points / BASIS_POINTS_PER_PERCENT
    return Line(row, kind, word, percent, row.reasons[0] if row.reasons else "")


def rollout_tab(release: Release) -> dict[str, Any]:
    """The rollouts of one release, newest first."""
    rows = rollouts_of(release.organization).filter(release=release)[:20]
    return {"rollouts": [line_of(row) for row in rows]}
