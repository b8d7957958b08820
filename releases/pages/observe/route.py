"""Page: what watches a route, live (ui.md screen 11); `?slice=` and `?period=` choose what its chart shows."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from relcontrol.accounts.models import Route
from relcontrol.accounts.permissions import VIEW
from relcontrol.clock import now
from relcontrol.web.pages import PageRequest, page
from relcontrol.web.polling import polled
from releases.observer_models import Observer
from releases.observing.selectors import observer_of, slices_of
from releases.pages.observe.card import screen, seq_of
from releases.pages.routes import route_of


@require_safe
@page(VIEW)
def observe_route(request: PageRequest, route: str) -> HttpResponse:
    """The page; asked by htmx its live part."""
    row = route_of(request.actor.organization, route)
    observer = observer_of(row)
    if observer is None:
        return _render(request, row, None, "releases/observe/route.html")
    if request.htmx:  # type: ignore[attr-defined]  # set by django-htmx
        slices = slices_of([observer])
        return polled(
            request,
            seq_of(observer, slices),
            lambda: _render(request, row, observer, "releases/observe/live.html"),
        )
    return _render(request, row, observer, "releases/observe/route.html")


def _render(request: PageRequest, row: Route, observer: Observer | None, template: str) -> HttpResponse:
    context: dict[str, Any] = screen(request, row, observer, now())
    return render(request, template, context)
