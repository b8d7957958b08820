"""Rows of a large registry: applications, routes, prompts and releases whose digests are the true ones."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from relcontrol.accounts.models import Application, Organization, Route
from relcontrol.bench.forms import Form
from relcontrol.bundle.artifacts import normalise_artifact
from relcontrol.bundle.canonical import canonical_bytes
from relcontrol.bundle.manifest import build_manifest, bundle_of
from releases.models import Artifact, ArtifactVersion, Release

APPLICATIONS = 4
DOMAINS = ("legal", "medical")
MODEL = "Divinci-AI/gemma-4-e2b@a7c91f"
SUITE = "scored-qa-v3"
SUITE_DIGEST = "sha256:" + hashlib.sha256(SUITE.encode()).hexdigest()
PROMPT_MARK, PREVIOUS_MARK = "a5" * 32, "5a" * 32
AUTHOR = "prn_" + "0" * 26


@dataclass(frozen=True, slots=True)
class Registered:
    """One release with the prompt that it brought."""

    release: Release
    artifact: Artifact
    version: ArtifactVersion


def row_id(prefix: str, organization: Organization, number: int) -> str:
    """An id that sorts by number, before every id that is made later, and is unique to the organization."""
    place = int(hashlib.sha256(organization.pk.encode()).hexdigest()[:12], 16)
    return f"{prefix}_0{number:09d}{place:016d}"


class Line:
    """The releases of one route, each on the one before it."""

    def __init__(self, application: Application, route: Route) -> None:
        """An empty line."""
        self.application, self.route = application, route
        self.last: Release | None = None
        marks = {"prompt": PROMPT_MARK, "previous": PREVIOUS_MARK}
        cold, warm = self._manifest(None), self._manifest(PREVIOUS_MARK)
        self._cold, self._warm = Form(cold, marks), Form(warm, marks)
        self._bundle = Form(bundle_of(warm), marks)

    def _manifest(self, previous: str | None) -> dict[str, Any]:
        return build_manifest(
            application=self.application.slug,
            model_ref=MODEL,
            prompt_template=f"sha256:{PROMPT_MARK}",
            routing=self.route.routing,
            dataset=SUITE_DIGEST,
            generation={"temperature": "0.2", "max_tokens": 512},
            previous_release=previous,
        )

    def register(self, number: int, at: datetime) -> Registered:
        """The next release, with prompt number `number` of the organization."""
        organization = self.route.organization
        artifact, version = _prompt(organization, number, at)
        before = self.last
        values = {"prompt": artifact.digest.removeprefix("sha256:")}
        if before:
            values["previous"] = before.manifest_sha256
        manifest = (self._warm if before else self._cold).filled(values).encode()
        self.application.release_count += 1
        self.last = Release(
            pk=row_id("rel", organization, number),
            organization=organization,
            application=self.application,
            route=self.route,
            number=self.application.release_count,
            manifest=manifest,
            manifest_sha256=hashlib.sha256(manifest).hexdigest(),
            bundle_sha256=hashlib.sha256(self._bundle.filled(values).encode()).hexdigest(),
            model_ref=MODEL,
            refs={"prompt_template": version.ref, "dataset": SUITE},
            previous_release=before,
            changes=_changes(before, artifact),
            findings=[],
            delivery=Release.Delivery.REGISTERED,
            registered_by=AUTHOR,
            registered_by_label="Ada Author",
            created_at=at,
        )
        return Registered(self.last, artifact, version)


def lines(organization: Organization, at: datetime) -> list[Line]:
    """The routes of the organization's applications, as rows and as empty lines."""
    applications = [
        Application(organization=organization, slug=f"assistant-{number}", name=f"Assistant {number}", created_at=at)
        for number in range(1, APPLICATIONS + 1)
    ]
    Application.objects.bulk_create(applications)
    routes = [
        Route(
            organization=organization,
            application=application,
            routing={"domain": domain},
            name=f"domain {domain}",
            is_default=domain == DOMAINS[0],
            created_at=at,
        )
        for application in applications
        for domain in DOMAINS
    ]
    Route.objects.bulk_create(routes)
    return [Line(route.application, route) for route in routes]


def releases(among: list[Line], count: int, start: datetime, every: timedelta) -> Iterator[Registered]:
    """`count` releases in turn over the routes; the last of each route is the stable one."""
    for number in range(count):
        made = among[number % len(among)].register(number + 1, start + number * every)
        if number >= count - len(among):
            made.release.delivery = Release.Delivery.STABLE
        elif number >= count // 2:
            made.release.delivery = Release.Delivery.SUPERSEDED
        yield made


def _prompt(organization: Organization, number: int, at: datetime) -> tuple[Artifact, ArtifactVersion]:
    value = {"kind": "prompt_template", "system": f"You answer questions in edition {number}.", "user": "{{ input }}"}
    normal = normalise_artifact(value)
    digest = hashlib.sha256(canonical_bytes(normal)).hexdigest()
    artifact = Artifact(
        pk=row_id("art", organization, number),
        organization=organization,
        digest=f"sha256:{digest}",
        kind=normal["kind"],
        value=normal,
        created_at=at,
    )
    version = ArtifactVersion(
        pk=row_id("arv", organization, number),
        organization=organization,
        name="templates/answers",
        version=f"v{number}",
        artifact=artifact,
        created_by=AUTHOR,
        created_by_label="Ada Author",
        created_at=at,
    )
    return artifact, version


def _changes(before: Release | None, artifact: Artifact) -> list[dict[str, Any]]:
    if before is None:
        return []
    previous = json.loads(bytes(before.manifest))["prompt_template"]
    return [{"component": "prompt_template", "kind": "serving", "before": previous, "after": artifact.digest}]
