"""Page: the newest requests with what answered them, filtered by the address; and what no slice takes.

A trace names its release by digest, so one that this registry does not know is shown by that alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from gates.models import Slice
from relcontrol.accounts.models import Organization
from relcontrol.accounts.permissions import VIEW
from relcontrol.accounts.selectors import routes_of
from relcontrol.clock import now
from relcontrol.web.pages import PageRequest, page
from releases.models import Release
from releases.pages.paths import ROWS_PER_PAGE, address, with_query
from releases.pages.trace_filters import WITHOUT, TraceFilterForm
from releases.pages.trace_wording import ARMS, ended, share_words
from releases.selectors import releases_of
from releases.trace_models import Trace
from releases.traces.paging import trace_page
from releases.traces.selectors import traces_of
from releases.traces.unassigned import RouteShare, shares_of_unassigned

FIRST: Final = """\
# in your application, with the openai library
client = OpenAI(base_url="http://YOUR-GATEWAY/v1", api_key="rck_…")
# or by hand
curl http://YOUR-GATEWAY/v1/chat/completions -H "Authorization: Bearer rck_…" \\
  -H "Content-Type: application/json" \\
  -d '{"model": "any", "messages": [{"role": "user", "content": "Hello"}]}'"""


@dataclass(frozen=True, slots=True)
class Line:
    """One request of the list."""

    row: Trace
    release: Release | None
    route: str
    slice: str
    arm: str
    kind: str
    word: str


@require_safe
@page(VIEW)
def traces(request: PageRequest) -> HttpResponse:
    """The list, newest first."""
    organization = request.actor.organization
    routes = list(routes_of(organization))
    slices = dict(Slice.objects.filter(organization=organization).order_by("name").values_list("slug", "name"))
    form = TraceFilterForm(request.GET, organization=organization, routes=routes, slices=slices.items())
    shown, next_cursor = _page(request, form)
    context = {
        "lines": lines_of(organization, shown, {route.pk: route.name for route in routes}, slices),
        "next_cursor": next_cursor,
        "form": form,
        "shares": [share_line(request, share) for share in shares_of_unassigned(organization, now())],
        "first_command": FIRST,
        "kept_days": settings.TRACE_RETENTION_DAYS,
        "crumbs": [("Roll", address(request, "roll")), ("Traces", None)],
    }
    return render(request, "releases/traces/traces.html", context, status=200 if form.is_valid() else 422)


def lines_of(
    organization: Organization, rows: Sequence[Trace], routes: Mapping[str, str], slices: Mapping[str, str]
) -> list[Line]:
    """Requests in one line each; routes and slices by what they are called."""
    releases = _releases(organization, rows)
    return [
        Line(
            row,
            releases.get(row.release or ""),
            routes.get(row.route_id or "", row.route_id or ""),
            slices.get(row.slice or "", row.slice or ""),
            ARMS.get(row.arm or "", ""),
            *ended(row),
        )
        for row in rows
    ]


def share_line(request: PageRequest, share: RouteShare) -> tuple[RouteShare, str, str]:
    """The share of a route, its sentence, and where the requests are that no slice took."""
    url = with_query(address(request, "traces"), route=share.route.pk, slice=WITHOUT)
    return share, share_words(share), url if share.unassigned.count else ""


def _page(request: PageRequest, form: TraceFilterForm) -> tuple[list[Trace], str | None]:
    if not form.is_valid():
        return [], None
    rows = traces_of(request.actor.organization, **form.wanted()).defer("body")
    return trace_page(rows, request.GET.get("cursor", ""), ROWS_PER_PAGE)


def _releases(organization: Organization, rows: Iterable[Trace]) -> dict[str, Release]:
    named = {row.release for row in rows if row.release}
    known = releases_of(organization).filter(manifest_sha256__in=named) if named else ()
    return {row.manifest_sha256: row for row in known}
