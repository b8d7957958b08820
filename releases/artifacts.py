"""Artifacts: content that manifests name, and the names that people give to it (domain.md "Register").

Content is stored once per organization under its digest and never changes; `name@version` points to it and is never
pointed elsewhere. Making one changes nothing that is live: a release has to be registered and rolled for that.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from audit.events import Event
from audit.receipts import Record, append
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Organization
from relcontrol.accounts.permissions import WRITE_RELEASES
from relcontrol.bundle.artifacts import normalise_artifact
from relcontrol.bundle.canonical import sha256_ref
from relcontrol.bundle.errors import BundleError, Problem
from relcontrol.bundle.refs import ArtifactRef, parse_artifact_ref
from relcontrol.clock import now
from relcontrol.errors import Conflict
from releases.models import Artifact, ArtifactVersion
from releases.refusals import not_a_bundle

NUMBERED = re.compile(r"(?P<prefix>[A-Za-z]*)(?P<number>[0-9]{1,9})\Z")


@dataclass(frozen=True, slots=True)
class NamedContent:
    """An artifact as it was sent, checked: its name, its normalised value, and the digest of that."""

    ref: ArtifactRef
    value: dict[str, Any]
    digest: str


@transaction.atomic
def create_artifact(*, actor: Actor, ref: object, value: object) -> tuple[ArtifactVersion, bool]:
    """Name a content; the same again gives the same version and False, the same name for other content conflicts."""
    actor.require(WRITE_RELEASES)
    try:
        named = checked_artifact(ref, value)
    except BundleError as error:
        raise not_a_bundle(error) from error
    [(version, created)] = store_artifacts(actor, [named])
    if created:
        append_created(actor, version)
    return version, created


def checked_artifact(ref: object, value: object, *, ref_field: str = "ref", value_field: str = "value") -> NamedContent:
    """The name and the normalised content; `BundleError` with all problems of both."""
    problems: list[Problem] = []
    parsed, normal = None, None
    try:
        parsed = parse_artifact_ref(ref, ref_field)
    except BundleError as error:
        problems += error.problems
    try:
        normal = normalise_artifact(value, value_field)
    except BundleError as error:
        problems += error.problems
    if parsed is None or normal is None:
        raise BundleError(problems)
    return NamedContent(parsed, normal, sha256_ref(normal))


def store_artifacts(actor: Actor, sent: Sequence[NamedContent]) -> list[tuple[ArtifactVersion, bool]]:
    """The rows of contents and their names, without receipts: a caller that locks more rows appends those at its end.

    All contents in the order of their digests, then all names in theirs: two requests that share some wait for each
    other and never in a ring.
    """
    at = now()
    contents = _stored_contents(actor, sent, at)
    fresh = [
        ArtifactVersion(
            organization=actor.organization,
            name=named.ref.name,
            version=named.ref.version,
            artifact=contents[named.digest],
            created_by=actor.id,
            created_by_label=actor.label,
            created_at=at,
        )
        for named in sorted(sent, key=lambda named: str(named.ref))
    ]
    ArtifactVersion.objects.bulk_create(fresh, ignore_conflicts=True)
    made = {version.pk for version in fresh}
    stored = [_stored_version(actor, named) for named in sent]
    return [(version, version.pk in made) for version in stored]


def _stored_contents(actor: Actor, sent: Sequence[NamedContent], at: datetime) -> dict[str, Artifact]:
    by_digest = {named.digest: named.value for named in sent}
    fresh = [
        Artifact(organization=actor.organization, digest=digest, kind=value["kind"], value=value, created_at=at)
        for digest, value in sorted(by_digest.items())
    ]
    Artifact.objects.bulk_create(fresh, ignore_conflicts=True)
    rows = Artifact.objects.filter(organization=actor.organization, digest__in=by_digest)
    return {row.digest: row for row in rows}


def _stored_version(actor: Actor, named: NamedContent) -> ArtifactVersion:
    stored = ArtifactVersion.objects.select_related("artifact").get(
        organization=actor.organization, name=named.ref.name, version=named.ref.version
    )
    if stored.artifact.digest != named.digest:
        raise _taken(stored, named)
    return stored


def append_created(actor: Actor, version: ArtifactVersion) -> None:
    """The receipt of a new artifact version."""
    state = {
        "id": version.pk,
        "ref": version.ref,
        "kind": version.artifact.kind,
        "sha256": version.artifact.digest,
    }
    append(
        actor,
        Record(event=Event.ARTIFACT_CREATED, outcome="created", kind="artifact", name=version.ref, state=state),
    )


def next_version(*, organization: Organization, name: str) -> str:
    """The version that follows the newest of a name: v15 after v14, v1 for a new name."""
    versions = ArtifactVersion.objects.filter(organization=organization, name=name).values_list("version", flat=True)
    numbered = [(int(match["number"]), match["prefix"]) for text in versions if (match := NUMBERED.match(text))]
    number, prefix = max(numbered, default=(0, "v"))
    return f"{prefix}{number + 1}"


def _taken(stored: ArtifactVersion, named: NamedContent) -> Conflict:
    following = next_version(organization=stored.organization, name=stored.name)
    return Conflict(
        f"{stored.ref} names other content already ({stored.artifact.digest[:19]}…) and is never changed. "
        f"Give this content a new version, such as {stored.name}@{following}.",
        code="artifact_exists",
        state={"ref": stored.ref, "sha256": stored.artifact.digest, "sent_sha256": named.digest},
    )
