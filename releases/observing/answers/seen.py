"""Traces of what serves, as an observer reads them: which are looked at, and how one becomes an answer to be scored."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db.models import Q, QuerySet

from releases.bucketing import Arm
from releases.observer_models import ObservedAnswer, ObservedSlice, Observer
from releases.trace_models import Trace
from releases.traces.selectors import traces_of

OK: Final = 200
COLUMNS: Final = ("trace_id", "started_at", "received_at", "request_id", "subject", "slice")


class Seen(NamedTuple):
    """A trace without its body."""

    trace_id: str
    started_at: datetime
    received_at: datetime
    request_id: str
    subject: bytes
    slice: str


def good_answers(observer: Observer, *, since: datetime, until: datetime) -> QuerySet[Trace]:
    """Traces of the watched release on its route that ended well and hold text; copies of a shadow are none."""
    return _traces(observer, since, until).filter(Q(status=OK) | Q(status=None), error=None, body__isnull=False)


def requests_in(observed: ObservedSlice, since: datetime, until: datetime) -> int:
    """How many requests of a slice the watched release was asked, those that failed as well."""
    return _traces(observed.observer, since, until).filter(slice=observed.slice).count()


def _traces(observer: Observer, since: datetime, until: datetime) -> QuerySet[Trace]:
    rows = traces_of(
        observer.organization,
        release=observer.release.manifest_sha256,
        route=observer.route_id,
        since=since,
        until=until,
    )
    return rows.exclude(arm=Arm.SHADOW.value).order_by()


def read(rows: QuerySet[Trace]) -> Iterable[Seen]:
    """These traces, without their bodies."""
    for row in rows.values_list(*COLUMNS).iterator():
        trace_id, started_at, received_at, request_id, subject, slug = row
        yield Seen(trace_id, started_at, received_at, request_id, bytes(subject), slug or "")


def chosen(row: ObservedSlice, seen: Seen, now: datetime, **changes: Any) -> ObservedAnswer:
    """The row of an answer that is chosen now."""
    return ObservedAnswer(
        organization_id=row.observer.organization_id,
        observed=row,
        kind=ObservedAnswer.Kind.SERVED,
        at=seen.started_at,
        request_id=seen.request_id,
        trace_id=seen.trace_id,
        trace_started_at=seen.started_at,
        subject=seen.subject,
        created_at=now,
        **changes,
    )
