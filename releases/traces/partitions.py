"""Days of traces: made ahead, and dropped when retention is over (gateway.md "Traces").

The ticker calls both. They give up where they would have to wait for a lock, and come again. Retention is of whole days
of UTC: what began on one goes together, traces with every copy of what they said (releases.privacy.copies), up to a day
after its time; a receipt for each organization says how much of what it was.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet

from audit.chain import timestamp
from audit.events import Event
from audit.receipts import Record, append
from relcontrol.accounts.actors import system_actor
from relcontrol.accounts.models import Organization
from releases.privacy.copies import COPIES, FEEDBACK
from releases.privacy.sayings import expire_feedback
from releases.trace_models import SubjectKey
from releases.traces.keys import ADVISORY

logger = logging.getLogger(__name__)

BEFORE: Final = timedelta(days=1)
DAYS: Final = 9  # yesterday, today and a week ahead
KEYS_AT_ONCE: Final = 1000
TRACES: Final = "traces"

_COUNTED: Final = "SELECT organization_id, count(*) FROM releases_trace WHERE started_at < %s GROUP BY 1"
_EXPIRED: Final = "DELETE FROM releases_trace_default WHERE started_at < %s"


@dataclass(frozen=True, slots=True)
class Expired:
    """What went: days and traces in all, keys of subjects, copies of what traces said, feedback on answers."""

    days: int
    traces: int
    keys: int
    answers: int
    feedback: int


def ensure_partitions(now: datetime) -> int:
    """Make the days that are missing, from yesterday to a week ahead; returns how many."""
    first = (now.astimezone(UTC) - BEFORE).date()
    return _value("SELECT relcontrol_make_trace_partitions(%s::date, %s)", [first, DAYS])


def kept_since(now: datetime) -> datetime:
    """The midnight before which nothing is kept."""
    oldest = now.astimezone(UTC) - timedelta(days=settings.TRACE_RETENTION_DAYS)
    return datetime.combine(oldest.date(), time(), UTC)


def expire(now: datetime) -> Expired:
    """Delete what retention does not cover any more, and the keys that nothing is encrypted with any more."""
    end = kept_since(now)
    days, gone = _expire_days(end)
    totals = {name: sum(of_each.values()) for name, of_each in gone.items()}
    if not (days or any(totals.values())):
        return Expired(0, 0, 0, 0, 0)
    traces, feedback = totals.pop(TRACES), totals.pop(FEEDBACK)
    expired = Expired(days, traces, _forget_keys(end), sum(totals.values()), feedback)
    logger.info("retention of traces: %s", expired)
    return expired


@transaction.atomic
def _expire_days(end: datetime) -> tuple[int, Mapping[str, Counter[str]]]:
    """How many days of traces, and of each kind how many of which organization.

    Traces are last of all but the receipts: whoever drops a day holds up everybody else who works on traces.
    """
    gone = {copy.name: copy.expire(end) for copy in COPIES if copy.at is not None}
    gone[FEEDBACK] = expire_feedback(end)
    gone[TRACES] = _traces_before(end)
    days = _value("SELECT relcontrol_drop_trace_partitions(%s::date)", [end.date()])
    with connection.cursor() as cursor:
        cursor.execute(_EXPIRED, [end])
    _record(end, gone)
    return days, gone


def _traces_before(end: datetime) -> Counter[str]:
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED, [end])
        return Counter(dict(cursor.fetchall()))


def _record(end: datetime, gone: Mapping[str, Counter[str]]) -> None:
    """A receipt for each organization that had something; their chains are locked in one order."""
    owners = {key for of_each in gone.values() for key in of_each}
    for organization in Organization.objects.filter(pk__in=owners).order_by("pk"):
        counts = {name: of_each[organization.pk] for name, of_each in gone.items()}
        record = Record(
            event=Event.RETENTION_EXPIRED,
            outcome="expired",
            kind="traces",
            name=f"before {end.date()}",
            state={"before": timestamp(end), "days_kept": settings.TRACE_RETENTION_DAYS, "gone": counts},
        )
        append(system_actor(organization), record)


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
        unused = SubjectKey.objects.filter(*(~copy.needing() for copy in COPIES), pk__in=keys)
        return unused.delete()[0]


def _value(query: str, values: list[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        (value,) = cursor.fetchone()
    return int(value)
