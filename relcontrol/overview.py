"""Page: what needs somebody, the last releases, and whether the chain holds (ui.md screen 2).

Composed at the top, as it reads releases, gates and audit. What needs a person depends on what she may do: a queue of
things that she cannot act on would only be noise.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from audit.models import ChainCheck, Export
from audit.selectors import chain_state, exports_of
from gates.models import SuiteImport
from gates.suites import imports_of
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Route
from relcontrol.accounts.permissions import ADMINISTER, READ_AUDIT, VIEW, WRITE_GATES, Allowed, Permission
from relcontrol.bundle.components import TITLES
from relcontrol.clock import now
from relcontrol.jobs.heartbeats import late_processes
from relcontrol.jobs.models import LeasedJob
from relcontrol.web.pages import PageRequest, page
from releases.deployability import Deployability
from releases.models import Release
from releases.selectors import releases_of, states_of

RECENT_RELEASES = 8
FAILED_JOBS_SHOWN = 10
FAILED_JOBS_COUNT_FOR = timedelta(days=7)
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
class Need:
    """Something that waits for a person: how it stands, what to do, why, and where."""

    kind: str
    word: str
    title: str
    why: str
    url: str
    button: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A release in the list."""

    release: Release
    url: str
    changed: str
    stage: str
    kind: str
    word: str


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


def needs_of(actor: Actor, check: ChainCheck, at: datetime) -> Iterator[Need]:
    """What waits for this person, gravest first."""
    slug = actor.organization.slug
    if _may(actor, READ_AUDIT) and check.problem:
        title, url = "Find out why the receipt chain does not verify", reverse("audit", kwargs={"organization": slug})
        yield Need("fail", "Broken", title, check.problem, url, "Look", check.checked_at)
    if _may(actor, ADMINISTER):
        for sentence in late_processes(at):
            url, why = reverse("settings-health", kwargs={"organization": slug}), "Work that waits for it stands still."
            yield Need("fail", "Not seen", sentence.removesuffix("."), why, url, "See health")
    if _may(actor, WRITE_GATES):
        yield from map(_failed_import, _still_failed(imports_of(actor.organization), ("name",), at))
    if _may(actor, READ_AUDIT):
        yield from map(_failed_export, _still_failed(exports_of(actor.organization), ("scope",), at))


def _may(actor: Actor, permission: Permission) -> bool:
    return isinstance(actor.may(permission), Allowed)


def _still_failed(rows: Any, same: tuple[str, ...], at: datetime) -> list[Any]:
    """Jobs of the last week that ended with an error and were not tried again since."""
    again = rows.model.objects.filter(
        organization=OuterRef("organization"), pk__gt=OuterRef("pk"), **{name: OuterRef(name) for name in same}
    )
    failed = rows.filter(state=LeasedJob.State.ERROR, created_at__gte=at - FAILED_JOBS_COUNT_FOR)
    return list(failed.filter(~Exists(again)).select_related("organization")[:FAILED_JOBS_SHOWN])


def _failed_import(job: SuiteImport) -> Need:
    url = reverse("suite-import", kwargs={"organization": job.organization.slug, "key": job.pk})
    title = f"Mend the suite file {job.name} and upload it again"
    return Need("fail", "Refused", title, _said(job), url, "See the rows", job.finished_at or job.created_at)


def _failed_export(job: Export) -> Need:
    url = reverse("export", kwargs={"organization": job.organization.slug, "export": job.pk})
    title = f"Ask again for the export that {job.requested_by_label} wanted"
    return Need("fail", "Not made", title, _said(job), url, "Open it", job.finished_at or job.created_at)


def _said(job: LeasedJob) -> str:
    return str((job.problem or {}).get("detail", "The log of the worker says why it failed."))


def _recent(actor: Actor) -> list[Row]:
    organization = actor.organization
    releases = list(releases_of(organization)[:RECENT_RELEASES])
    states = states_of(organization, releases)
    return [_row(release, states[release.pk]) for release in releases]


def _row(release: Release, state: Deployability) -> Row:
    titles = [TITLES[change["component"]] for change in release.changes]
    kind, word = STANDING[state.standing]
    return Row(
        release=release,
        url=reverse("release", kwargs={"organization": release.organization.slug, "release": release.pk}),
        changed=", ".join(titles) if release.previous_release_id else "cold start",
        stage=release.get_delivery_display(),
        kind=kind,
        word=word,
    )


def _checked_url(actor: Actor, check: ChainCheck) -> str:
    """The last receipt that was checked, for those who may read receipts."""
    if not check.receipt_hash or not _may(actor, READ_AUDIT):
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
