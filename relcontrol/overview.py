"""Page: what needs somebody, the last releases, and whether the chain holds (ui.md screen 2).

Composed at the top, as it reads releases, gates and audit. The queue is in `relcontrol.needs`.
"""

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from audit.models import ChainCheck
from audit.selectors import chain_state
from gates.worst_slices import WorstSlice, worst_slices
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Route
from relcontrol.accounts.permissions import READ_AUDIT, VIEW, Allowed
from relcontrol.bundle.components import TITLES
from relcontrol.clock import now
from relcontrol.needs import needs_of
from relcontrol.web.pages import PageRequest, page
from releases.deployability import Deployability
from releases.models import Release
from releases.pages.rollout_list import line_of
from releases.rolling.selectors import running_rollouts
from releases.selectors import releases_of, states_of

RECENT_RELEASES = 8
NUMBERS = ("Nothing", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
STANDING = {
    "none": ("skip", "No gate run"),
    "running": ("running", "Running"),
    "pass": ("pass", "Passed"),
    "hold": ("hold", "Hold"),
    "fail": ("fail", "Failed"),
    "overridden": ("override", "Overridden"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A release in the list."""

    release: Release
    url: str
    changed: str
    stage: str
    kind: str
    word: str
    worst: WorstSlice | None


@require_safe
@page(VIEW)
def overview(request: PageRequest) -> HttpResponse:
    """The page."""
    actor, at = request.actor, now()
    head, check = chain_state(actor.organization)
    needs = list(needs_of(actor, check, at))
    rows = _recent(actor)
    context = {
        "title": title_of(len(needs)),
        "lede": _lede(actor, rows),
        "needs": needs,
        "running": [line_of(row) for row in running_rollouts(actor.organization)],
        "rows": rows,
        "head": head,
        "check": check,
        "checked_url": _checked_url(actor, check),
        "first_command": _first_command(request),
    }
    return render(request, "overview.html", context)


def title_of(count: int) -> str:
    """The page's verdict."""
    number = NUMBERS[count] if count < len(NUMBERS) else f"{count:,}"
    noun = {0: " needs", 1: " thing needs"}.get(count, " things need")
    return f"{number}{noun} you."


def _recent(actor: Actor) -> list[Row]:
    organization = actor.organization
    releases = list(releases_of(organization)[:RECENT_RELEASES])
    states = states_of(organization, releases)
    worst = worst_slices(organization, [release.manifest_sha256 for release in releases])
    return [_row(release, states[release.pk], worst.get(release.manifest_sha256)) for release in releases]


def _row(release: Release, state: Deployability, worst: WorstSlice | None) -> Row:
    titles = [TITLES[change["component"]] for change in release.changes]
    kind, word = STANDING[state.standing]
    return Row(
        release=release,
        url=reverse("release", kwargs={"organization": release.organization.slug, "release": release.pk}),
        changed=", ".join(titles) if release.previous_release_id else "cold start",
        stage=Release.Delivery(state.delivery).label,
        kind=kind,
        word=word,
        worst=worst,
    )


def _checked_url(actor: Actor, check: ChainCheck) -> str:
    """The last receipt that was checked, for those who may read receipts."""
    if not check.receipt_hash or not isinstance(actor.may(READ_AUDIT), Allowed):
        return ""
    return reverse("receipt", kwargs={"organization": actor.organization.slug, "receipt": check.receipt_hash})


def _lede(actor: Actor, rows: list[Row]) -> str:
    """What serves, in a sentence."""
    if not rows:
        return "No release is registered yet."
    routes = Route.objects.filter(organization=actor.organization).count()
    serving = Release.objects.filter(organization=actor.organization, delivery=Release.Delivery.STABLE).count()
    if not serving:
        return "Releases are registered; no route serves one yet, so nothing live can be wrong."
    return f"{serving:,} of {routes:,} route{'' if routes == 1 else 's'} serve{'s' if serving == 1 else ''} a release."


def _first_command(request: PageRequest) -> str:
    body = (
        '{"model_ref": "org/model@a7c91f", "prompt_template_ref": "templates/legal-qa@v1", '
        '"routing": {"domain": "legal"}, "dataset_version": "scored-qa-legal-v1"}'
    )
    url = request.build_absolute_uri("/v1/releases")
    return f"curl -X POST {url} -H \"Authorization: Bearer $TOKEN\" -d '{body}'"
