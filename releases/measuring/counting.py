"""The traces of one checkpoint that wait to be counted, aggregated in SQL (domain.md "Roll", "An error is …").

Errors are those of the release: 5xx, no connection, time-out, a broken stream. What a client did wrong or gave up is a
request without an error. What the gateway itself refused never reached the release: it is no request of either arm.
Latencies are those of successful requests; a failure that comes fast must not make a release look fast.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from relcontrol.model_servers.outcomes import REFUSED, RELEASE_ERRORS
from releases.bucketing import Arm
from releases.measuring.checkpoint_sums import SubjectCounts
from releases.rollout_models import Measurement, Rollout

CANDIDATE, STABLE = Arm.CANDIDATE.value, Arm.STABLE.value

_OURS: Final = """
    FROM releases_trace
    WHERE rollout_id = %(rollout)s AND organization_id = %(organization)s
        AND xact >= %(low)s AND xact < %(high)s
        AND arm = ANY(%(arms)s) AND error IS DISTINCT FROM %(refused)s
        AND (generation >= %(generation)s OR (generation IS NULL AND started_at >= %(entered_at)s))
"""
_NTH: Final = f"SELECT xact {_OURS} ORDER BY xact OFFSET %(offset)s LIMIT 1"
_COUNTS: Final = f"""
    SELECT CASE arm WHEN %(stable)s THEN %(stable)s ELSE %(candidate)s END AS side, encode(subject, 'hex'), count(*),
        count(*) FILTER (WHERE error = ANY(%(errors)s)),
        coalesce(array_agg(latency_ms) FILTER (WHERE error IS NULL AND latency_ms IS NOT NULL), '{{}}'),
        coalesce(array_agg(ttft_ms) FILTER (WHERE error IS NULL AND ttft_ms IS NOT NULL), '{{}}')
    {_OURS} GROUP BY 1, 2 ORDER BY 1, 2
"""
_NEW_SUBJECTS: Final = """
    WITH added AS (
        INSERT INTO releases_measuredsubject (measurement_id, arm, subject)
        SELECT %s, %s, decode(one, 'hex') FROM unnest(%s::text[]) AS one
        ON CONFLICT DO NOTHING RETURNING 1
    ) SELECT count(*) FROM added
"""


@dataclass(frozen=True, slots=True)
class Window:
    """Traces of a checkpoint that were written by transactions from `low` to just below `high`."""

    rollout: Rollout
    measurement: Measurement
    low: int
    high: int

    def nth(self, number: int) -> int | None:
        """The transaction of the trace with this number, from 0, in the order of transactions; None for fewer."""
        with _answer(_NTH, self._values | {"offset": number}) as rows:
            return next((int(xact) for (xact,) in rows), None)

    def subjects(self) -> dict[str, dict[str, SubjectCounts]]:
        """What each subject did, by arm; a shadow's copies are the candidate's requests."""
        found: dict[str, dict[str, SubjectCounts]] = {CANDIDATE: {}, STABLE: {}}
        with _answer(_COUNTS, self._values) as rows:
            for arm, subject, *counts in rows:
                found[arm][subject] = SubjectCounts(*counts)
        return found

    @property
    def _values(self) -> dict[str, Any]:
        measurement = self.measurement
        return {
            "rollout": self.rollout.pk,
            "organization": self.rollout.organization_id,
            "low": self.low,
            "high": self.high,
            "candidate": CANDIDATE,
            "stable": STABLE,
            "arms": [STABLE, CANDIDATE if measurement.checkpoint else Arm.SHADOW.value],
            "generation": measurement.generation,
            "entered_at": measurement.entered_at,
            "errors": sorted(RELEASE_ERRORS),
            "refused": REFUSED,
        }


def count_new_subjects(measurement: Measurement, arm: str, subjects: list[str]) -> int:
    """Note the subjects of a chunk, and return how many of them are seen on this arm for the first time."""
    if not subjects:
        return 0
    with _answer(_NEW_SUBJECTS, [measurement.pk, arm, subjects]) as rows:
        return int(next(rows)[0])


@contextmanager
def _answer(statement: str, values: Any) -> Iterator[Iterator[tuple[Any, ...]]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        yield iter(cursor)
