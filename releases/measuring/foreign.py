"""Answers of the candidate arm that another bundle, or another release, gave (domain.md "Roll", evidence table).

Only the newest traces count: when the gateways are right again, nothing is foreign again.
"""

from datetime import datetime, timedelta
from typing import Final

from releases.bucketing import Arm
from releases.rollout_models import Rollout
from releases.traces.selectors import traces_of

NEWEST: Final = timedelta(seconds=60)
MOST_NAMED: Final = 5


def foreign_fingerprints(row: Rollout, now: datetime) -> tuple[str, ...]:
    """Fingerprints, else releases, of traces of the last minute that are not this rollout's, sorted."""
    own = row.release
    candidate = Arm.CANDIDATE if row.checkpoint else Arm.SHADOW
    newest = traces_of(row.organization, rollout=row.pk, arm=candidate.value, since=now - NEWEST)
    bundles = (
        newest.exclude(fingerprint=own.bundle_sha256).order_by("fingerprint").values_list("fingerprint", flat=True)
    )
    releases = newest.exclude(release=own.manifest_sha256).order_by("release").values_list("release", flat=True)
    named = {*bundles.distinct()[:MOST_NAMED], *releases.distinct()[:MOST_NAMED]}
    return tuple(sorted(one for one in named if one is not None))[:MOST_NAMED]
