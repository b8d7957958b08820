"""The newest requests with what was asked, opened one after the other, for as long as a person would wait.

What a rule is about stands in sealed bodies, so no index can find it: a look opens the newest requests of a week until
there are enough of them or the time is up, and says how far it came. Nothing is kept of what it opened.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.db import connection, transaction

from relcontrol.accounts.models import Organization
from releases.traces.opened import Body, opened
from releases.traces.rows import Row

DAY: Final = timedelta(days=1)
REACH: Final = 7 * DAY
SHORTEST: Final = timedelta(seconds=1) / DAY
MOST_OPENED: Final = 2_000
MOST_PASSED: Final = 20_000  # rows that are gone through for those that are wanted, as no index leads to them
SECONDS: Final = 0.07
AT_A_TIME: Final = 100
LONGEST_BODY: Final = 64 * 1024  # bytes; longer ones are left out, as 2,000 of them would be gigabytes

NEWEST: Final = """
SELECT trace_id, request_id, started_at, route_id, subject, octet_length(body) > %s,
    CASE WHEN octet_length(body) <= %s THEN body END
FROM (
    SELECT * FROM releases_trace WHERE organization_id = %s AND started_at >= %s ORDER BY started_at DESC LIMIT %s
) AS newest
WHERE arm IS DISTINCT FROM 'shadow' AND (slice IS NULL OR NOT %s) AND (%s::text[] IS NULL OR route_id = ANY(%s))
ORDER BY started_at DESC LIMIT %s
"""
PASSED: Final = """
SELECT count(*), min(started_at) FROM (
    SELECT started_at FROM releases_trace WHERE organization_id = %s AND started_at >= %s
    ORDER BY started_at DESC LIMIT %s
) AS newest
"""
# The index by time brings the newest first, and reading ends where enough is read. A planner that knows nothing of this
# organization yet would fetch the whole week and sort it.
_BY_INDEX: Final = "SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off"


class Stored(NamedTuple):
    """A row as it was read."""

    trace_id: str
    request_id: str
    started_at: datetime
    route_id: str | None
    subject: bytes
    too_long: bool
    body: bytes | None


class Request(NamedTuple):
    """A request that could be read; `row` is what the rules of slices look at."""

    trace_id: str
    request_id: str
    started_at: datetime
    subject: bytes
    row: Row


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which requests: those of some routes only (None is all), and only those that no slice took, or any."""

    routes: Sequence[str] | None = None
    unassigned: bool = False


class Look:
    """Going through it yields requests, newest first; what it came to stands in it then.

    `opened` requests were read and `closed` ones were not, being erased, damaged or too long. Everything since `since`
    was looked at; `whole` where that is the whole week, and `since` its first request.
    """

    def __init__(self, organization: Organization, now: datetime, wanted: Wanted | None = None) -> None:
        self._organization, self._wanted = organization, wanted or Wanted()
        self.earliest = now - REACH
        self.now, self.since = now, now
        self.opened, self.closed, self.whole = 0, 0, False

    def a_day(self, count: int) -> float:
        """How many a day so many are. Of a whole week a day is the least to divide by: there are no other requests."""
        return count / max((self.now - self.since) / DAY, 1.0 if self.whole else SHORTEST)

    def __iter__(self) -> Iterator[Request]:
        until = time.monotonic() + SECONDS
        for rows in self._stored():
            yield from self._opened(rows)
            self.since = rows[-1].started_at
            if time.monotonic() > until:
                return
        if self.opened + self.closed < MOST_OPENED:
            self._note_the_end()

    def _stored(self) -> Iterator[list[Stored]]:
        wanted = self._wanted
        routes = None if wanted.routes is None else list(wanted.routes)
        values: list[Any] = [LONGEST_BODY, LONGEST_BODY, self._organization.pk, self.earliest, MOST_PASSED]
        with transaction.atomic(), connection.chunked_cursor() as cursor:
            by_index()
            cursor.execute(NEWEST, [*values, wanted.unassigned, routes, routes, MOST_OPENED])
            while rows := cursor.fetchmany(AT_A_TIME):
                yield [Stored(*row) for row in rows]

    def _opened(self, rows: Sequence[Stored]) -> Iterator[Request]:
        for row, body in zip(rows, opened(self._organization.pk, rows), strict=True):
            if row.too_long or body.state in {"erased", "damaged"}:
                self.closed += 1
            else:
                self.opened += 1
                yield _request(row, body)

    def _note_the_end(self) -> None:
        """Every wanted row was read: since when is that everything?"""
        with transaction.atomic(), connection.cursor() as cursor:
            by_index()
            cursor.execute(PASSED, [self._organization.pk, self.earliest, MOST_PASSED])
            passed, first = cursor.fetchone()
        self.whole = passed < MOST_PASSED
        self.since = first or self.earliest


def by_index() -> None:
    """For the rest of this transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_BY_INDEX)


def _request(row: Stored, body: Body) -> Request:
    metadata = body.metadata if isinstance(body.metadata, dict) else {}
    seen = Row({"route": row.route_id}, None, body.input, metadata)
    return Request(row.trace_id, row.request_id, row.started_at, bytes(row.subject), seen)
