"""Finding answers: by the id of a request or trace, by conversation, by route and time (domain.md "Lineage").

A conversation is whatever the client called its subject: the header, else conversation, user or tenant (gateway.md
"A request"). The database knows it by a keyed digest only. Each look-up goes by an index of the traces.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db.models import QuerySet

from relcontrol.accounts.models import Organization, Route
from releases.trace_models import Trace
from releases.traces.selectors import SHADOW, traces_of
from releases.traces.subjects import subject_digest

AT_ONCE: Final = 10
MOST: Final = 20  # a client may send the same request id again and again
AROUND: Final = timedelta(minutes=10)
FIRST, LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
TRACE_ID: Final = re.compile(r"[0-9a-f]{32}")


def of_request(organization: Organization, request_id: str) -> list[Trace]:
    """The traces of a request, the answer that was served first; a copy that went to a shadow comes last."""
    rows = list(traces_of(organization, request_id=request_id).select_related("organization")[:MOST])
    return sorted(rows, key=lambda row: row.arm == SHADOW)


def of_trace(organization: Organization, trace_id: str) -> list[Trace]:
    """The traces with this id, newest first; a hexadecimal id may come in capitals or with dashes."""
    key = trace_id.lower().replace("-", "")
    if not TRACE_ID.fullmatch(key):
        return []
    rows = Trace.objects.filter(organization=organization, trace_id=key).order_by("-started_at")
    return list(rows.select_related("organization")[:MOST])


def of_conversation(organization: Organization, called: str) -> QuerySet[Trace]:
    """Every answer of a conversation (of a user, a tenant, …), newest first."""
    subject = subject_digest(organization.pk, called)
    return traces_of(organization).filter(subject=subject).defer("body")


def bounded(at: datetime) -> datetime:
    """A time that somebody typed, where one can still count a little on or back."""
    return min(max(at, FIRST), LAST)


def around(route: Route, at: datetime) -> list[Trace]:
    """The last answers that a route had given by a moment, newest first; of a few minutes only."""
    moment = bounded(at)
    rows = traces_of(route.organization, route=route.pk, since=moment - AROUND, until=moment + timedelta(seconds=1))
    return list(rows.defer("body")[:AT_ONCE])
