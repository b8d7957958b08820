"""Which releases are answered with weights of a digest: those that a route serves or rolls out now."""

import hashlib
from collections.abc import Iterable

from audit.weights.claims import weights_of
from relcontrol.accounts.models import Organization
from releases.models import Release
from releases.selectors import manifest_of

IN_USE = (Release.Delivery.STABLE, Release.Delivery.ROLLING)


def weights_digest(release: Release) -> str | None:
    """The digest of the open weights that a release names; None where it names none, or its manifest was changed."""
    if hashlib.sha256(bytes(release.manifest)).hexdigest() != release.manifest_sha256:
        return None
    return weights_of(manifest_of(release))


def releases_in_use(organization: Organization) -> list[tuple[Release, str]]:
    """Releases that serve or roll and name the digest of their open weights, with it; in the order of their ids."""
    rows = Release.objects.filter(organization=organization, delivery__in=IN_USE)
    rows = rows.select_related("organization", "application", "route").order_by("pk")
    return [(row, digest) for row in rows if (digest := weights_digest(row))]


def releases_with(organization: Organization, weights_sha256: str) -> list[Release]:
    """Those of one digest."""
    return [row for row, digest in releases_in_use(organization) if digest == weights_sha256]


def digests_of(releases: Iterable[tuple[Release, str]]) -> set[str]:
    """The digests among them."""
    return {digest for _, digest in releases}
