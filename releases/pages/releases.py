"""Page: the list of releases (ui.md screen 3). Its filters stand in the address."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from gates.suites import suites_of
from gates.worst_slices import WorstSlice, worst_slices
from relcontrol.accounts.models import Route
from relcontrol.accounts.permissions import VIEW, WRITE_RELEASES, Denied
from relcontrol.accounts.selectors import routes_of
from relcontrol.web.pages import PageRequest, page
from releases.artifact_selectors import newest_of_each_name
from releases.forms import FilterForm
from releases.models import Release
from releases.pages.paths import one_page
from releases.pages.wording import STANDING_STATUS, changed
from releases.selectors import ReleaseFilter, releases_of, states_of


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """One line of the list."""

    release: Release
    changed: str
    stage: str
    worst: WorstSlice | None
    kind: str
    word: str


@require_safe
@page(VIEW)
def releases(request: PageRequest) -> HttpResponse:
    """The list, newest first."""
    organization = request.actor.organization
    routes = list(routes_of(organization))
    form = FilterForm(request.GET, routes=routes)
    wanted = ReleaseFilter(**form.cleaned_data) if form.is_valid() else ReleaseFilter()
    rows = releases_of(organization, wanted) if form.is_valid() else Release.objects.none()
    shown, next_cursor = one_page(request, rows)
    answer = request.actor.may(WRITE_RELEASES)
    context = {
        "rows": _rows(request, shown),
        "next_cursor": next_cursor,
        "form": form,
        "filtered": any(form.data.get(name) for name in form.fields),
        "denied": answer.reason if isinstance(answer, Denied) else "",
        "first_command": "" if shown else first_command(request, routes),
    }
    return render(request, "releases/releases.html", context)


def _rows(request: PageRequest, releases: Iterable[Release]) -> list[ReleaseRow]:
    shown = list(releases)
    states = states_of(request.actor.organization, shown)
    worst = worst_slices(request.actor.organization, [row.manifest_sha256 for row in shown])
    return [
        ReleaseRow(
            row,
            changed(row.changes, row.refs, cold_start=row.previous_release_id is None),
            Release.Delivery(states[row.pk].delivery).label,
            worst.get(row.manifest_sha256),
            *STANDING_STATUS[states[row.pk].standing],
        )
        for row in shown
    ]


def first_command(request: PageRequest, routes: list[Route]) -> str:
    """The curl call that registers the first release, with the names that this organization has already."""
    organization = request.actor.organization
    prompt = newest_of_each_name(organization).first()
    suite = suites_of(organization).first()
    body = {
        **({"application": routes[0].application.slug} if len({route.application_id for route in routes}) > 1 else {}),
        "model_ref": "hf:org/repo@revision",
        "prompt_template_ref": prompt.ref if prompt else "templates/legal-qa@v1",
        "routing": routes[0].routing if routes else {"domain": "legal"},
        "dataset_version": suite.name if suite else "scored-qa-v1",
    }
    url = request.build_absolute_uri("/v1/releases")
    quoted = json.dumps(body, ensure_ascii=False).replace("'", "'\\''")
    return f"curl -X POST {url} -H \"Authorization: Bearer $TOKEN\" \\\n  -d '{quoted}'"
