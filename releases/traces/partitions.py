"""Days of traces: made ahead, and dropped when retention is over (gateway.md "Traces").

The ticker calls both. They give up where they would have to wait for a lock, and come again. A day is dropped whole, so
a trace may stay up to a day longer than retention; what lies in the default partition goes to the microsecond, and so
does what was said of answers.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet

from releases.rollout_models import ReplayPair
from releases.trace_models import Feedback, SubjectKey
from releases.traces.keys import ADVISORY

logger = logging.getLogger(__name__)

BEFORE: Final = timedelta(days=1)
DAYS: Final = 9  # yesterday, today and a week ahead
KEYS_AT_ONCE: Final = 1000
SAYINGS_AT_ONCE: Final = 1000

_EXPIRED: Final = """
WITH gone AS (DELETE FROM releases_trace_default WHERE started_at < %s RETURNING 1) SELECT count(*) FROM gone
"""
_UNUSED_KEYS: Final = """
DELETE FROM releases_subjectkey AS known WHERE known.id = ANY(%s)
AND NOT EXISTS (SELECT FROM releases_trace AS trace
    WHERE trace.organization_id = known.organization_id AND trace.subject = known.subject)
AND NOT EXISTS (SELECT FROM releases_replaypair AS pair
    WHERE pair.organization_id = known.organization_id AND pair.subject = known.subject AND pair.answers IS NOT NULL)
"""


@dataclass(frozen=True, slots=True)
class Expired:
    """What went: days of traces, single traces, keys of subjects, answers of replays, feedback on answers."""

    days: int
    traces: int
    keys: int
    answers: int
    feedback: int


def ensure_partitions(now: datetime) -> int:
    """Make the days that are missing, from yesterday to a week ahead; returns how many."""
    first = (now.astimezone(UTC) - BEFORE).date()
    return _value("SELECT relcontrol_make_trace_partitions(%s::date, %s)", [first, DAYS])


def expire(now: datetime) -> Expired:
    """Delete what retention does not cover any more, and the keys that nothing is encrypted with any more."""
    end = now.astimezone(UTC) - timedelta(days=settings.TRACE_RETENTION_DAYS)
    days = _value("SELECT relcontrol_drop_trace_partitions(%s::date)", [end.date()])
    traces = _value(_EXPIRED, [end])
    answers = ReplayPair.objects.filter(created_at__lt=end, answers__isnull=False).update(answers=None)
    feedback = _forget_feedback(end)
    if not (days or traces or answers or feedback):
        return Expired(0, 0, 0, 0, 0)
    gone = Expired(days, traces, _forget_keys(end), answers, feedback)
    logger.info("retention of traces: %s", gone)
    return gone


def _forget_feedback(end: datetime) -> int:
    """Its ids follow its time, so the oldest are found without an index on the time."""
    gone, oldest = 0, Feedback.objects.order_by("pk").values_list("pk", "created_at")
    while batch := [key for key, said_at in oldest[:SAYINGS_AT_ONCE] if said_at < end]:
        gone += Feedback.objects.filter(pk__in=batch).delete()[0]
    return gone


def _forget_keys(end: datetime) -> int:
    """A destroyed key stays as long as a spool may bring what it would have sealed."""
    old = SubjectKey.objects.filter(Q(destroyed_at=None) | Q(destroyed_at__lt=end), created_at__lt=end)
    return sum(
        _forget_some(organization, keys)
        for organization in old.values_list("organization_id", flat=True).distinct().order_by()
        for keys in _batches(old.filter(organization_id=organization))
    )


def _batches(keys: QuerySet[SubjectKey]) -> Iterator[list[int]]:
    last = 0
    while batch := list(keys.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:KEYS_AT_ONCE]):
        yield batch
        last = batch[-1]


def _forget_some(organization_id: str, keys: list[int]) -> int:
    """With no batch of traces under way, so that none is sealed with a key that goes (releases.traces.keys)."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [ADVISORY, organization_id])
        cursor.execute(_UNUSED_KEYS, [keys])
        return int(cursor.rowcount)


def _value(query: str, values: list[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        (value,) = cursor.fetchone()
    return int(value)
