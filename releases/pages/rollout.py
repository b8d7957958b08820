"""Page: one rollout, live (ui.md screen 10), with what a person may do with it."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from relcontrol.accounts.permissions import VIEW
from relcontrol.clock import now
from relcontrol.web.pages import PageRequest, page
from relcontrol.web.polling import polled
from releases.pages.paths import address
from releases.pages.rollout_card import screen, seq_of
from releases.pages.rollout_commands import Refused, carry_out
from releases.rolling.selectors import rollout_named
from releases.rollout_models import Rollout


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def rollout(request: PageRequest, rollout: str) -> HttpResponse:
    """The page; asked by htmx its live part; sent, a command."""
    row = rollout_named(request.actor.organization, rollout)
    if request.method == "POST":
        return _commanded(request, row)
    if request.htmx:  # type: ignore[attr-defined]  # set by django-htmx
        return polled(request, seq_of(row), lambda: _render(request, row, "releases/rollouts/live.html"))
    return _render(request, row, "releases/rollouts/rollout.html")


def _commanded(request: PageRequest, row: Rollout) -> HttpResponse:
    outcome = carry_out(request, row.pk)
    if isinstance(outcome, Refused):
        fresh = rollout_named(request.actor.organization, row.pk)
        return _render(request, fresh, "releases/rollouts/rollout.html", refused=outcome)
    messages.success(request, outcome)
    return HttpResponseRedirect(address(request, "rollout", rollout=row.pk))


def _render(request: PageRequest, row: Rollout, template: str, refused: Refused | None = None) -> HttpResponse:
    name = f"{row.application.slug} {row.release.name}"
    context: dict[str, Any] = screen(request, row, now()) | {
        "refused": refused,
        "crumbs": [
            ("Roll", address(request, "roll")),
            (name, address(request, "release", release=row.release_id)),
            ("Rollout", None),
        ],
    }
    return render(request, template, context, status=refused.status if refused else 200)
