"""Pages: prompts by name, and one prompt with its versions, the difference of two, and where it serves."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from relcontrol.accounts.models import Organization
from relcontrol.accounts.permissions import VIEW, WRITE_RELEASES, Denied
from relcontrol.errors import NotFound
from relcontrol.web.pages import PageRequest, page
from releases.artifact_selectors import PROMPT, newest_of_each_name, versions_of
from releases.models import ArtifactVersion, Release
from releases.pages.components import MAX_LINES
from releases.pages.paths import NUL, address, one_page
from releases.pages.starting_points import StartingPoint, starting_points
from releases.selectors import artifact_text

VERSIONS_SHOWN = 200
FIRST_PROMPT = (
    'curl -X POST {url} -H "Authorization: Bearer $TOKEN" \\\n  -d \'{{"ref": "templates/legal-qa@v1", "value": '
    '{{"kind": "prompt_template", "system": "You answer legal questions."}}}}\''
)


@require_safe
@page(VIEW)
def prompts(request: PageRequest) -> HttpResponse:
    """Every prompt by name with its newest version, the last edited first."""
    organization = request.actor.organization
    shown, next_cursor = one_page(request, newest_of_each_name(organization))
    named, points = releases_naming(organization, shown), starting_points(organization)
    context = {
        "rows": [(row, named[row.pk], _serving_names(row.name, points)) for row in shown],
        "next_cursor": next_cursor,
        "first_command": FIRST_PROMPT.format(url=request.build_absolute_uri("/v1/artifacts")),
        "crumbs": [("Releases", address(request, "releases")), ("Prompts", None)],
    }
    return render(request, "prompts/prompts.html", context)


@require_safe
@page(VIEW)
def prompt(request: PageRequest, name: str) -> HttpResponse:
    """One prompt: a version (`?version=`, the newest by default) against another (`?against=`, the one before)."""
    organization = request.actor.organization
    versions = prompt_versions(organization, name)
    shown = version_named(versions, request.GET.get("version", "")) or versions[0]
    against = version_named(versions, request.GET.get("against", "")) or _before(versions, shown)
    answer = request.actor.may(WRITE_RELEASES)
    named = releases_naming(organization, versions)
    before, after = (artifact_text(row.artifact.value) if row else "" for row in (against, shown))
    context = {
        "name": name,
        "versions": [(row, named[row.pk]) for row in versions],
        "shown": shown,
        "against": against,
        "before": before,
        "after": after,
        "too_long": max(before.count("\n"), after.count("\n")) > MAX_LINES,
        "points": [point for point in starting_points(organization) if names_prompt(point, versions)],
        "denied": answer.reason if isinstance(answer, Denied) else "",
        "crumbs": [("Prompts", address(request, "prompts")), (name, None)],
    }
    return render(request, "prompts/prompt.html", context)


def prompt_versions(organization: Organization, name: str) -> list[ArtifactVersion]:
    """The versions of a prompt, newest first; 404 where there is no prompt of this name."""
    rows = [] if NUL in name else list(versions_of(organization, name).filter(artifact__kind=PROMPT)[:VERSIONS_SHOWN])
    if not rows:
        raise NotFound("There is no prompt of this name here. Prompts lists what there is.")
    return rows


def version_named(versions: Iterable[ArtifactVersion], version: str) -> ArtifactVersion | None:
    """The version of this name among these."""
    return next((row for row in versions if row.version == version), None)


def names_prompt(point: StartingPoint, versions: Iterable[ArtifactVersion]) -> bool:
    """Whether a route's release uses one of these versions."""
    return point.prompt in {word for row in versions for word in (row.ref, row.artifact.digest)}


def releases_naming(organization: Organization, versions: Iterable[ArtifactVersion]) -> Counter[str]:
    """How many releases name each version, by its id, in one query."""
    rows = list(versions)
    of_word = {word: row.pk for row in rows for word in (row.artifact.digest, row.ref)}
    wanted: Any = Release.objects.filter(organization=organization, refs__prompt_template__in=list(of_word))
    return Counter(of_word[word] for word in wanted.values_list("refs__prompt_template", flat=True))


def _serving_names(name: str, points: Iterable[StartingPoint]) -> list[str]:
    """The routes that serve some version of this name, each with the version."""
    return [
        f"{point.route.name} serves {point.prompt.rpartition('@')[2]}"
        for point in points
        if point.serves and point.prompt.startswith(f"{name}@")
    ]


def _before(versions: list[ArtifactVersion], shown: ArtifactVersion) -> ArtifactVersion | None:
    older = versions[versions.index(shown) + 1 :]
    return older[0] if older else None
