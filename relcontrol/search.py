"""Search of the top bar: straight to the one thing that was meant, else what matches, by kind.

It stands at the top because it reads releases, suites, prompts and receipts. A digest or a number names one thing of
a kind; any other words are looked for in names.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from audit.selectors import receipt_named
from gates.suites import suites_of
from relcontrol.accounts.models import Organization
from relcontrol.accounts.permissions import READ_AUDIT, VIEW, Denied
from relcontrol.errors import NotFound
from relcontrol.web.pages import PageRequest, page
from releases.artifact_selectors import PROMPT, artifact_versions, newest_of_each_name
from releases.models import Release
from releases.pages.paths import NUMBER, receipt_address, with_query
from releases.selectors import ReleaseFilter, release_named, releases_of

PER_KIND: Final = 20
LONGEST: Final = 300
DIGEST: Final = re.compile(r"(?:sha256:)?(?P<hex>[0-9a-fA-F]{12,64})\Z")
NOT_SEARCHED: Final = str.maketrans("", "", "\0")  # PostgreSQL keeps no text with it


@dataclass(frozen=True, slots=True)
class Match:
    """One thing that was found."""

    title: str
    detail: str
    url: str


@dataclass(frozen=True, slots=True)
class Group:
    """What was found of one kind; `more` where there is more than is shown."""

    kind: str
    matches: list[Match]
    more: bool


@require_safe
@page(VIEW)
def search(request: PageRequest) -> HttpResponse:
    """`?q=`: a release, receipt, suite or prompt."""
    text = request.GET.get("q", "").translate(NOT_SEARCHED).strip()[:LONGEST]
    groups = _groups(request, text) if text else []
    found = [match for group in groups for match in group.matches]
    if len(found) == 1:
        return HttpResponseRedirect(found[0].url)
    return render(request, "search.html", {"text": text, "groups": groups, "count": len(found)})


def _groups(request: PageRequest, text: str) -> list[Group]:
    organization = request.actor.organization
    kinds: list[tuple[str, Callable[[Organization, str], Iterator[Match]]]] = [
        ("Releases", _releases),
        ("Suites", _suites),
        ("Prompts", _prompts),
    ]
    if not isinstance(request.actor.may(READ_AUDIT), Denied):
        kinds.append(("Receipts", _receipts))
    groups = [_group(kind, find(organization, text)) for kind, find in kinds]
    return [group for group in groups if group.matches]


def _group(kind: str, matches: Iterable[Match]) -> Group:
    found = list(matches)
    return Group(kind, found[:PER_KIND], len(found) > PER_KIND)


def _releases(organization: Organization, text: str) -> Iterator[Match]:
    for row in _named_releases(organization, text):
        url = reverse("release", kwargs={"organization": organization.slug, "release": row.pk})
        detail = f"{row.manifest_sha256[:12]} · {row.route.name} · {row.model_ref}"
        yield Match(f"{row.application.slug} {row.name}", detail, url)


def _named_releases(organization: Organization, text: str) -> Iterable[Release]:
    """By id or digest one, by number (`r12`, `legal-assistant r12`) one of each application, else by model."""
    application, _, last = text.rpartition(" ")
    if number := NUMBER.match(last.lower()):
        rows = releases_of(organization, ReleaseFilter(application=application.strip()))
        return rows.filter(number=int(number[1]))[: PER_KIND + 1]
    if text.startswith("rel_") or DIGEST.match(text):
        try:
            return [release_named(organization, text.removeprefix("sha256:"))]
        except NotFound:
            return []
    return releases_of(organization, ReleaseFilter(model=text))[: PER_KIND + 1]


def _suites(organization: Organization, text: str) -> Iterator[Match]:
    digest = _digest(text)
    rows = suites_of(organization)
    rows = rows.filter(sha256__startswith=digest) if digest else rows.filter(name__icontains=text)
    for row in rows[: PER_KIND + 1]:
        url = reverse("suite", kwargs={"organization": organization.slug, "suite": row.name})
        yield Match(row.name, f"{row.sha256[:19]} · {row.case_count:,} cases", url)


def _prompts(organization: Organization, text: str) -> Iterator[Match]:
    """By digest or `name@version` versions, by a part of a name the newest version of each."""
    digest, (name, at, version) = _digest(text), text.partition("@")
    if digest:
        rows = artifact_versions(organization, kind=PROMPT).filter(artifact__digest__startswith=digest)
    elif at:
        rows = artifact_versions(organization, kind=PROMPT, name=name).filter(version__startswith=version)
    else:
        rows = newest_of_each_name(organization).filter(name__icontains=text)
    for row in rows[: PER_KIND + 1]:
        own = reverse("prompt", kwargs={"organization": organization.slug, "name": row.name})
        yield Match(row.ref, row.artifact.digest[:19], with_query(own, version=row.version))


def _receipts(organization: Organization, text: str) -> Iterator[Match]:
    try:
        row = receipt_named(organization, text.lower())
    except NotFound:
        return
    yield Match(f"#{row.seq:,} {row.event}", row.receipt_hash[:12], receipt_address(organization, row))


def _digest(text: str) -> str:
    """The beginning of a stored digest that the text can be; empty where it is none."""
    match = DIGEST.match(text)
    return f"sha256:{match['hex'].lower()}" if match else ""


urlpatterns = [path("search", search, name="search")]
