"""How many answers of each slice a route gives, and how many of them get scored in a window ("Observe")."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, DurationField, F, Sum

from releases.bucketing import Arm
from releases.observer_models import ObservedSlice, Observer, QualityWindow
from releases.observing.starting import minute_of
from releases.observing.windows import MINUTE
from releases.traces.selectors import traces_of

LOOK_BACK: Final = timedelta(hours=1)
ENOUGH: Final = 15  # shortest windows that tell of the traffic; before that traces are counted
TRACES: Final = timedelta(minutes=10)
FEWEST_ASKED: Final = 20


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests of a slice in a minute, and which share of the answers that are asked about get a score, (0, 1]."""

    requests_a_minute: float = 0.0
    scored: float = 1.0

    def scores_a_minute(self, *, most: int, minute: timedelta = MINUTE) -> float:
        """How many scores come in a minute at most, where `most` answers are scored in a shortest window."""
        lengths = minute / MINUTE
        return min(self.requests_a_minute * lengths, float(most)) / lengths * self.scored


def traffic_of(observer: Observer, now: datetime, *, slug: str | None = None) -> dict[str, Traffic]:
    """The traffic of each slice that had any, or of one: from the closed windows of the last hour, else from traces.

    Traces of any release on the route count, so that one that has just begun to serve is planned by what it takes over.
    """
    rows = ObservedSlice.objects.filter(observer=observer, **({} if slug is None else {"slice": slug}))
    slugs = list(rows.values_list("slice", flat=True))
    found = _from_windows(observer, slugs, now)
    new = [each for each in slugs if each not in found]
    return found | (_from_traces(observer, new, now) if new else {})


def _from_windows(observer: Observer, slugs: Sequence[str], now: datetime) -> dict[str, Traffic]:
    rows = QualityWindow.objects.filter(
        observed__observer=observer, observed__slice__in=slugs, started_at__gte=now - LOOK_BACK
    )
    length = Sum(F("ended_at") - F("started_at"), output_field=DurationField())
    sums = rows.values("observed__slice").annotate(
        answered=Sum("requests"), wanted=Sum("asked"), given=Sum("n"), lasted=length
    )
    enough = ENOUGH * minute_of(observer)
    return {row["observed__slice"]: _traffic(row) for row in sums if row["lasted"] >= enough}


def _traffic(row: Mapping[str, Any]) -> Traffic:
    scored = row["given"] / row["wanted"] if row["wanted"] >= FEWEST_ASKED else 1.0
    return Traffic(row["answered"] / (row["lasted"] / MINUTE), scored)


def _from_traces(observer: Observer, slugs: Sequence[str], now: datetime) -> dict[str, Traffic]:
    """Of a route that has answered for less than ten minutes, over that time."""
    rows = traces_of(observer.organization, route=observer.route_id, since=now - TRACES, until=now).order_by()
    answers = rows.exclude(arm=Arm.SHADOW.value)
    first = answers.order_by("started_at").values_list("started_at", flat=True).first() or now
    lasted = max(now - first, MINUTE) / MINUTE
    counts = answers.filter(slice__in=slugs).values_list("slice").annotate(Count("trace_id"))
    return {str(slug): Traffic(count / lasted) for slug, count in counts}
