"""The share of requests that no slice takes, route by route, and when it is an alarm (domain.md "Slice").

What belongs to no slice is watched by no slice's judge and no slice's threshold: too much of it, and a release is
judged on the rest only. Copies to a shadow are not counted, as each is a request that was counted already. Of a busy
route the newest requests of the hour are enough, so that a page never waits for the counting of a million.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection

from relcontrol.accounts.models import Organization, Route
from relcontrol.accounts.selectors import routes_of
from releases.traces.slicing import Unassigned

WINDOW: Final = timedelta(hours=1)
MOST_COUNTED: Final = 5000
ALARM_ABOVE: Final = 0.30
ALARM_FROM: Final = 200  # requests; of fewer a share says little

# The route stands in the index with the time, so that each route costs no more than what is counted of it.
_COUNT: Final = """
SELECT route.id, count(*) FILTER (WHERE trace.slice IS NULL), count(*)
FROM unnest(%s::text[]) AS route (id) CROSS JOIN LATERAL (
    SELECT slice FROM releases_trace
    WHERE organization_id = %s AND route_id = route.id AND started_at >= %s AND arm IS DISTINCT FROM 'shadow'
    ORDER BY started_at DESC LIMIT %s
) AS trace GROUP BY route.id
"""


@dataclass(frozen=True, slots=True)
class RouteShare:
    """How many of a route's newest requests within an hour no slice took."""

    route: Route
    unassigned: Unassigned

    @property
    def alarms(self) -> bool:
        """Whether somebody should say where these requests belong."""
        share = self.unassigned.share
        return share is not None and self.unassigned.of >= ALARM_FROM and share > ALARM_ABOVE

    @property
    def status(self) -> tuple[str, str]:
        """How it stands, as a status of the design and its word."""
        if self.alarms:
            return "hold", "Too many unassigned"
        if self.unassigned.of < ALARM_FROM:
            return "skip", "Too few to tell"
        return "pass", "Assigned"


def shares_of_unassigned(organization: Organization, now: datetime, route: str | None = None) -> list[RouteShare]:
    """Of every route that had requests in the last hour (or of one), by application and name."""
    rows = routes_of(organization)
    routes = list(rows if route is None else rows.filter(pk=route))
    values: list[Any] = [[each.pk for each in routes], organization.pk, now - WINDOW, MOST_COUNTED]
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, values)
        totals = {key: Unassigned(count, of) for key, count, of in cursor.fetchall()}
    return [RouteShare(each, totals[each.pk]) for each in routes if each.pk in totals]
