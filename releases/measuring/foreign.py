"""Answers of the candidate arm that another bundle, or another release, gave (domain.md "Roll", evidence table).

Only what came in within the last minute counts: when the gateways are right again, nothing is foreign again. When that
was is told by this clock, since a gateway's may be wrong, and long answers are told of long after they began.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection

from releases.bucketing import Arm
from releases.rollout_models import Rollout

NEWEST: Final = timedelta(seconds=60)
CLOCKS: Final = timedelta(minutes=5)
MOST_NAMED: Final = 5
MOST_READ: Final = 5_000  # of one look; looks come every two seconds, so that each trace is among the newest of one

_FOREIGN: Final = """
    SELECT DISTINCT nullif(fingerprint, %(bundle)s), nullif(release, %(manifest)s) FROM (
        SELECT arm, received_at, fingerprint, release FROM releases_trace
        WHERE organization_id = %(organization)s AND rollout_id = %(rollout)s AND started_at >= %(since)s
        ORDER BY xact DESC LIMIT %(most)s
    ) AS newest
    WHERE arm = %(arm)s AND received_at >= %(newest)s AND (fingerprint <> %(bundle)s OR release <> %(manifest)s)
"""


def foreign_fingerprints(row: Rollout, now: datetime) -> tuple[str, ...]:
    """Fingerprints, else releases, of what came in within the last minute that are not this rollout's, sorted."""
    own = row.release
    values: dict[str, Any] = {
        "organization": row.organization_id,
        "rollout": row.pk,
        "arm": (Arm.CANDIDATE if row.checkpoint else Arm.SHADOW).value,
        "bundle": own.bundle_sha256,
        "manifest": own.manifest_sha256,
        "since": row.started_at - CLOCKS,
        "newest": now - NEWEST,
        "most": MOST_READ,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FOREIGN, values)
        named = {one for pair in cursor.fetchall() for one in pair if one is not None}
    return tuple(sorted(named))[:MOST_NAMED]
