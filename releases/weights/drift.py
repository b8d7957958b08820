"""Releases whose weights, as an observer sees them, are not the registered ones: facts for rollouts and for people."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from audit.evidence_models import WeightsObservation
from audit.weights.standing import drifts
from relcontrol.accounts.models import Organization
from releases.models import Release
from releases.weights.matching import digests_of, releases_in_use, weights_digest

HALT, REVIEW, IGNORE = "halt", "review", "ignore"
ON_DRIFT: Final = (HALT, REVIEW, IGNORE)


@dataclass(frozen=True, slots=True)
class Drifted:
    """A release that serves, and the newest observation of other files than it names."""

    release: Release
    observation: WeightsObservation


def drift_of(release: Release, at: datetime) -> tuple[str, ...]:
    """What is seen in place of a release's weights, a sentence for each observer who sees it; mostly nothing."""
    digest = weights_digest(release)
    return tuple(map(said_of, drifts(release.organization, [digest], at))) if digest else ()


def said_of(row: WeightsObservation) -> str:
    """One observation as a sentence."""
    return (
        f"{row.observer.name} saw the weights {row.observed_sha256[:12]} at {row.observed_at:%Y-%m-%d %H:%M} UTC, not "
        f"{row.expected_sha256[:12]}, which were registered."
    )


def drifted_serving(organization: Organization, at: datetime) -> list[Drifted]:
    """What serves with other weights than registered; a person decides on it, as nothing here does."""
    serving = [
        (row, digest) for row, digest in releases_in_use(organization) if row.delivery == Release.Delivery.STABLE
    ]
    found = drifts(organization, digests_of(serving), at) if serving else []
    newest = {row.expected_sha256: row for row in reversed(found)}
    return [Drifted(row, newest[digest]) for row, digest in serving if digest in newest]
