"""What is true of a route at a look: what it serves, whether releases are what was hashed, whose answers come."""

import hashlib
from datetime import datetime

from audit.models import ChainCheck
from relcontrol.accounts.models import Route
from releases.measuring.foreign import foreign_fingerprints
from releases.models import Release
from releases.rollout_models import Rollout
from releases.rollouts.evidence import Facts
from releases.weights.drift import HALT, REVIEW, drift_of


def facts_of(row: Rollout, now: datetime) -> Facts:
    """The facts of a rollout now."""
    on_drift, drifted = row.settings.get("weights_drift", HALT), drift_of(row.release, now)
    return Facts(
        stable=stable_manifest(row.route),
        integrity=(*integrity_failures(row), *(drifted if on_drift == HALT else ())),
        foreign=foreign_fingerprints(row, now),
        weights=drifted if on_drift == REVIEW else (),
    )


def stable_manifest(route: Route) -> str | None:
    """The manifest of what the route serves beside a candidate."""
    rows = Release.objects.filter(route=route, delivery=Release.Delivery.STABLE)
    return rows.values_list("manifest_sha256", flat=True).first()


def integrity_failures(row: Rollout) -> tuple[str, ...]:
    """What ends a rollout whatever anybody accepted: a stored manifest that is not its digest's, a broken chain."""
    ids = [each for each in (row.release_id, row.previous_id) if each]
    stored = Release.objects.filter(pk__in=ids).values_list("manifest", "manifest_sha256")
    tampered = [sha for manifest, sha in stored if hashlib.sha256(bytes(manifest)).hexdigest() != sha]
    sentences = [f"The stored manifest of {sha[:12]} is not the one that was registered." for sha in tampered]
    if problem := ChainCheck.objects.filter(organization=row.organization).values_list("problem", flat=True).first():
        sentences.append(f"The chain of receipts does not verify: {problem}")
    return tuple(sentences)
