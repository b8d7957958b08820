"""The standing of a manifest: what its gate runs and overrides say of it (contracts.md "States").

It is derived, and stored nowhere else. Runs and overrides are rows of later migrations: while the schema has none,
there is no evidence for any manifest, and the standing of each is `none`.
"""

from collections.abc import Iterable
from enum import StrEnum

from relcontrol.accounts.models import Organization


class Standing(StrEnum):
    """What quality says of a manifest."""

    NONE = "none"
    RUNNING = "running"
    PASS = "pass"  # noqa: S105 - a verdict
    HOLD = "hold"
    FAIL = "fail"
    OVERRIDDEN = "overridden"


def standings_of(organization: Organization, manifests: Iterable[str]) -> dict[str, Standing]:  # noqa: ARG001 - no rows to filter by it yet
    """The standing of each of these manifest SHAs, for lists."""
    return dict.fromkeys(manifests, Standing.NONE)


def standing_of(organization: Organization, manifest_sha256: str) -> Standing:
    """The standing of one manifest."""
    return standings_of(organization, [manifest_sha256])[manifest_sha256]
