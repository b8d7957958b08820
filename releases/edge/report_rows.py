"""Writing reports of replicas: any number of them in one statement.

Rows are written in the order of their keys, so that two edges never wait for each other in a circle. A heartbeat does
not take a replica back behind what it acknowledged within the last seconds: it may have been on its way before.
"""

import json
from collections.abc import Collection
from typing import Any, Final

from django.db import connection

from releases.edge.reports import Report

UPSERT: Final = """
    INSERT INTO releases_replica AS known (
        organization_id, name, region, epoch, generation, acknowledged_at, fingerprints, in_flight, queued, dropped,
        version, first_seen_at, seen_at
    )
    SELECT organization, name, region, epoch, generation, acknowledged_at,
        ARRAY(SELECT jsonb_array_elements_text(fingerprints)),
        coalesce(load -> 'in_flight', '{{}}'), coalesce((load ->> 'queued')::bigint, 0),
        coalesce((load ->> 'dropped')::bigint, 0), coalesce(load ->> 'version', ''), seen_at, seen_at
    FROM jsonb_to_recordset(%s::jsonb) AS said (
        organization text, name text, region text, epoch integer, generation bigint, acknowledged_at timestamptz,
        fingerprints jsonb, load jsonb, seen_at timestamptz
    )
    ORDER BY organization, name
    ON CONFLICT (organization_id, name) DO UPDATE SET
        region = excluded.region,
        epoch = CASE WHEN {taken} THEN excluded.epoch ELSE known.epoch END,
        generation = CASE WHEN {taken} THEN excluded.generation ELSE known.generation END,
        fingerprints = CASE WHEN {taken} THEN excluded.fingerprints ELSE known.fingerprints END,
        acknowledged_at = CASE WHEN {taken} THEN coalesce(excluded.acknowledged_at, known.acknowledged_at)
            ELSE known.acknowledged_at END,
        {load}
        seen_at = greatest(excluded.seen_at, known.seen_at)
"""
# An older position is believed once the newer one is some seconds old: a replica that restarted from its disk.
TAKEN: Final = """(
    (excluded.epoch, excluded.generation) >= (known.epoch, known.generation)
    OR (excluded.acknowledged_at IS NULL
        AND excluded.seen_at > coalesce(known.acknowledged_at, '-infinity') + interval '3 seconds')
)"""
LOAD: Final = """in_flight = excluded.in_flight, queued = excluded.queued, dropped = excluded.dropped,
        version = excluded.version,"""


def write(reports: Collection[Report]) -> None:
    """Insert or update the rows of these reports, of which there is one for each replica."""
    with_load = [report for report in reports if report.load is not None]
    without = [report for report in reports if report.load is None]
    for group, load in ((with_load, LOAD), (without, "")):
        if group:
            with connection.cursor() as cursor:
                cursor.execute(UPSERT.format(taken=TAKEN, load=load), [json.dumps([_row(one) for one in group])])


def _row(report: Report) -> dict[str, Any]:
    return {
        "organization": report.organization,
        "name": report.name,
        "region": report.region,
        "epoch": report.epoch,
        "generation": report.generation,
        "acknowledged_at": report.acknowledged_at.isoformat() if report.acknowledged_at else None,
        "fingerprints": report.fingerprints,
        "load": report.load,
        "seen_at": report.seen_at.isoformat(),
    }
