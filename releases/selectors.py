"""Reading the registry: releases by name, as lists, what a route serves, and what two releases differ in."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import QuerySet

from gates.overrides.selectors import usable_manifests
from gates.standing import Standing, decided_at, standing_of, standings_of
from relcontrol.accounts.models import Organization, Route
from relcontrol.accounts.selectors import found
from relcontrol.bundle.changes import diff
from relcontrol.bundle.components import TITLES
from relcontrol.clock import now
from relcontrol.errors import NotFound
from releases.artifact_selectors import contents
from releases.deployability import STOPPED, Deployability, deployability
from releases.models import Release
from releases.rollout_models import Rollback, Rollout

MIN_PREFIX: Final = 12
SHA256: Final = 64
HEX: Final = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class ReleaseFilter:
    """What to look for; an empty text looks for anything. `model` is a part of the model's ref."""

    application: str = ""
    route: str = ""
    delivery: str = ""
    model: str = ""


def releases_of(organization: Organization, wanted: ReleaseFilter = ReleaseFilter()) -> QuerySet[Release]:
    """Releases of an organization, newest first, with what a list shows of them."""
    rows = _shown(Release.objects.filter(organization=organization)).defer("manifest").order_by("-pk")
    if wanted.application:
        key = "application_id" if wanted.application.startswith("app_") else "application__slug"
        rows = rows.filter(**{key: wanted.application})
    if wanted.route:
        rows = rows.filter(route_id=wanted.route)
    if wanted.delivery:
        rows = rows.filter(delivery=wanted.delivery)
    return rows.filter(model_ref__icontains=wanted.model) if wanted.model else rows


def release_named(organization: Organization, text: str) -> Release:
    """The release with this id, this manifest SHA-256, or the one whose SHA begins so (12 digits or more)."""
    rows = _shown(Release.objects.filter(organization=organization))
    if text.startswith("rel_"):
        return found(rows, "release", pk=text)
    digits = text.lower()
    if not MIN_PREFIX <= len(digits) <= SHA256 or not HEX.issuperset(digits):
        raise NotFound(
            f"There is no release {text[:80]} here. Name it by its id (rel_…) or its manifest SHA-256, of which the "
            f"first {MIN_PREFIX} digits will do."
        )
    matches = list(rows.filter(manifest_sha256__startswith=digits)[:2])
    if len(matches) != 1:
        said = "More than one release begins with" if matches else "There is no release"
        raise NotFound(f"{said} {digits} here. Give the whole SHA-256, or look in GET /v1/releases.")
    return matches[0]


def _shown(rows: QuerySet[Release]) -> QuerySet[Release]:
    return rows.select_related("organization", "application", "route", "previous_release").defer(
        "previous_release__manifest", "previous_release__changes", "previous_release__findings"
    )


def serving(route: Route) -> Release | None:
    """The stable release of a route, `None` before its first rollout has completed."""
    return Release.objects.filter(route=route, delivery=Release.Delivery.STABLE).first()


def serving_of(routes: Iterable[Route]) -> dict[str, Release]:
    """The stable release of each of these routes that has one, by route id, in one query."""
    rows = Release.objects.filter(route__in=list(routes), delivery=Release.Delivery.STABLE).defer("manifest")
    return {row.route_id: row for row in rows}


def manifest_of(release: Release) -> dict[str, Any]:
    """The manifest, parsed from the bytes that were hashed."""
    content: dict[str, Any] = json.loads(bytes(release.manifest))
    return content


def state_of(release: Release) -> Deployability:
    """Standing, delivery, and whether it may be rolled out."""
    standing = standing_of(release.organization, release.manifest_sha256)
    usable = _usable(release.organization, {release.manifest_sha256: standing})
    return deployability(
        standing=standing,
        delivery=release.delivery,
        override_usable=release.manifest_sha256 in usable,
        renewed=_renewed(release),
    )


def states_of(organization: Organization, releases: Iterable[Release]) -> dict[str, Deployability]:
    """The same for a page of releases, by release id."""
    rows = list(releases)
    standings = standings_of(organization, [row.manifest_sha256 for row in rows])
    usable = _usable(organization, standings)
    return {
        row.pk: deployability(
            standing=standings[row.manifest_sha256],
            delivery=row.delivery,
            override_usable=row.manifest_sha256 in usable,
            renewed=_renewed(row),
        )
        for row in rows
    }


def _renewed(release: Release) -> bool:
    """Whether a release that was stopped has been judged since; asked for only where one was."""
    if release.delivery not in STOPPED:
        return False
    stops = Rollout.objects.filter(release=release, state=Rollout.State.HALTED).values_list("ended_at", flat=True)
    rollbacks = Rollback.objects.filter(left=release, rehearsed=False).values_list("decided_at", flat=True)
    stopped = max((at for at in (*stops, *rollbacks) if at is not None), default=None)
    decided = decided_at(release.organization, release.manifest_sha256)
    return stopped is not None and decided is not None and decided > stopped


def _usable(organization: Organization, standings: Mapping[str, str]) -> set[str]:
    """The overridden manifests whose override has not been used yet; asked for only where there are any."""
    overridden = [manifest for manifest, standing in standings.items() if standing == Standing.OVERRIDDEN]
    return usable_manifests(organization, overridden, now()) if overridden else set()


def deployable(release: Release) -> tuple[bool, tuple[str, ...]]:
    """Whether a release may be rolled out, and the sentences that say why not."""
    state = state_of(release)
    return state.deployable, state.why_not


@dataclass(frozen=True, slots=True)
class ComponentDifference:
    """One component that differs. Texts are there where the component is an artifact: what a person compares."""

    component: str
    title: str
    kind: str
    before: Any
    after: Any
    before_ref: str | None = None
    after_ref: str | None = None
    before_text: str | None = None
    after_text: str | None = None


def component_diff(release: Release, against: Release | None = None) -> list[ComponentDifference]:
    """What `release` changes against another, by default its previous release; nothing on a cold start."""
    baseline = against or release.previous_release
    if baseline is None:
        return []
    changes = diff(manifest_of(release), manifest_of(baseline))
    digests = [side for change in changes.serving for side in (change.before, change.after) if isinstance(side, str)]
    texts = {digest: artifact_text(value) for digest, value in contents(release.organization, digests).items()}
    groups = (("serving", changes.serving), ("measuring", changes.measuring))
    return [
        ComponentDifference(
            component=change.component,
            title=TITLES[change.component],
            kind=kind,
            before=change.before,
            after=change.after,
            before_ref=baseline.refs.get(change.component),
            after_ref=release.refs.get(change.component),
            before_text=_text(texts, change.before),
            after_text=_text(texts, change.after),
        )
        for kind, group in groups
        for change in group
    ]


def artifact_text(value: dict[str, Any]) -> str:
    """An artifact as lines of text that can be compared: a prompt as it reads, anything else as indented JSON."""
    if value["kind"] != "prompt_template":
        return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)
    user = "" if value["user"] is None else f"\n\n[user]\n{value['user']}"
    return f"[system]\n{value['system']}{user}\n\n[client system messages]\n{value['client_system']}"


def _text(texts: dict[str, str], side: object) -> str | None:
    return texts.get(side) if isinstance(side, str) else None
