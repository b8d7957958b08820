"""Reading traces: by what they name, the one that a request got, and up to where monitors may count.

Bodies stay closed here; `releases.traces.opened` opens those of a page.
"""

from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.db.models import QuerySet

from relcontrol.accounts.models import Organization
from releases.trace_models import Trace

SHADOW = "shadow"
NONE: Final = ""  # of `slice`: no slice took it; of `error`: it ended well


def traces_of(
    organization: Organization,
    *,
    release: str | None = None,
    route: str | None = None,
    rollout: str | None = None,
    arm: str | None = None,
    slice: str | None = None,  # noqa: A002 - the field's own name
    error: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    request_id: str | None = None,
) -> QuerySet[Trace]:
    """An organization's traces, newest first. `since` is included, `until` is not; both are times of starting.

    `slice` and `error` take `NONE` for traces without. A time spares PostgreSQL the partitions of other days: give one
    wherever there is one.
    """
    wanted: dict[str, Any] = {
        "release": release,
        "route_id": route,
        "rollout_id": rollout,
        "arm": arm,
        **({"slice__isnull": True} if slice == NONE else {"slice": slice}),
        **({"error__isnull": True} if error == NONE else {"error": error}),
        "started_at__gte": since,
        "started_at__lt": until,
        "request_id": request_id,
    }
    given = {name: value for name, value in wanted.items() if value is not None}
    return Trace.objects.filter(organization=organization, **given).order_by("-started_at", "-trace_id")


def lineage_row(organization: Organization, request_id: str) -> Trace | None:
    """The trace of the answer that this request got; None where there is none (any more).

    A copy that went to a shadow candidate has the same request id and was never an answer.
    """
    found = list(traces_of(organization, request_id=request_id)[:20])
    return next((row for row in found if row.arm != SHADOW), found[0] if found else None)


def xact_horizon() -> int:
    """The oldest transaction that may still be running: every trace with a smaller `xact` is visible or never will be.

    Who reads `folded_to <= xact < horizon`, and takes the horizon before reading, sees each trace exactly once.
    It is that of the whole server: a long transaction that writes, in another database even, holds it back.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        (horizon,) = cursor.fetchone()
    return int(horizon)
