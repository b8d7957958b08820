"""Reading artifacts: by name, by digest, the versions of a name. The identity preprocessing is always there."""

from collections.abc import Iterable
from typing import Any, Final

from django.db.models import Max, QuerySet

from relcontrol.accounts.models import Organization
from relcontrol.bundle.artifacts import IDENTITY_PREPROCESSING
from relcontrol.bundle.canonical import sha256_ref
from relcontrol.bundle.errors import BundleError
from relcontrol.bundle.refs import parse_artifact_ref, parse_digest
from relcontrol.errors import NotFound
from releases.models import Artifact, ArtifactVersion

PROMPT: Final = "prompt_template"
PREPROCESSING: Final = "preprocessing"
IDENTITY_DIGEST: Final = sha256_ref(IDENTITY_PREPROCESSING)
BARE_DIGEST: Final = 64


def artifact_versions(organization: Organization, *, kind: str = "", name: str = "") -> QuerySet[ArtifactVersion]:
    """Named artifacts of an organization, newest first, without their content."""
    rows = ArtifactVersion.objects.filter(organization=organization).select_related("artifact").order_by("-pk")
    rows = rows.defer("artifact__value")
    rows = rows.filter(artifact__kind=kind) if kind else rows
    return rows.filter(name=name) if name else rows


def versions_of(organization: Organization, name: str) -> QuerySet[ArtifactVersion]:
    """All versions of one name with their content, newest first."""
    rows = ArtifactVersion.objects.filter(organization=organization, name=name)
    return rows.select_related("artifact").order_by("-pk")


def newest_of_each_name(organization: Organization, kind: str = PROMPT) -> QuerySet[ArtifactVersion]:
    """The newest version of every name of a kind, by name: the list of prompts, with their content."""
    newest = (
        ArtifactVersion.objects.filter(organization=organization, artifact__kind=kind)
        .values("name")
        .annotate(newest=Max("pk"))
        .values("newest")
    )
    return ArtifactVersion.objects.filter(pk__in=newest).select_related("artifact").order_by("name")


def artifact_by_ref(organization: Organization, ref: str) -> ArtifactVersion:
    """The version that `name@version` names, with its content."""
    try:
        parsed = parse_artifact_ref(ref)
    except BundleError as error:
        raise _missing(ref) from error
    rows = versions_of(organization, parsed.name).filter(version=parsed.version)
    row = rows.first()
    if row is None:
        raise _missing(ref)
    return row


def artifact_by_digest(organization: Organization, digest: str) -> Artifact:
    """The content with this digest, written with or without `sha256:`; the identity is there without a row."""
    text = digest.lower()
    text = f"sha256:{text}" if len(text) == BARE_DIGEST else text
    try:
        wanted = parse_digest(text, "sha256")
    except BundleError as error:
        raise _missing(digest) from error
    row = Artifact.objects.filter(organization=organization, digest=wanted).first()
    if row is not None:
        return row
    if wanted == IDENTITY_DIGEST:
        return identity_preprocessing(organization)
    raise _missing(digest)


def artifact_named(organization: Organization, text: str) -> Artifact:
    """The content that a ref or a digest names."""
    return artifact_by_ref(organization, text).artifact if "@" in text else artifact_by_digest(organization, text)


def identity_preprocessing(organization: Organization) -> Artifact:
    """The preprocessing that does nothing; not a row, because nobody has to make it."""
    return Artifact(
        organization=organization, digest=IDENTITY_DIGEST, kind=PREPROCESSING, value=dict(IDENTITY_PREPROCESSING)
    )


def contents(organization: Organization, digests: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The values of several digests in one query; unknown ones are left out."""
    rows = Artifact.objects.filter(organization=organization, digest__in=set(digests)).values_list("digest", "value")
    return {IDENTITY_DIGEST: dict(IDENTITY_PREPROCESSING), **dict(rows)}


def names_of_content(organization: Organization, digest: str) -> list[str]:
    """Every ref that names this content, newest first."""
    rows = ArtifactVersion.objects.filter(organization=organization, artifact__digest=digest).order_by("-pk")
    return [row.ref for row in rows[:50]]


def _missing(text: str) -> NotFound:
    return NotFound(f"There is no artifact {text[:120]} here. GET /v1/artifacts lists what there is.")
