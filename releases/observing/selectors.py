"""Reading what observers found: who watches which route, its slices, their windows and alarms, for pages and the API.

A week of a route is some 200,000 windows. Pages read the newest window of each slice by its index, and charts from
points that the database adds up.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db.models import (
    Count,
    DateTimeField,
    Exists,
    F,
    Func,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
)

from relcontrol.accounts.models import Organization, Route
from relcontrol.accounts.selectors import found
from releases.observer_models import DriftAlarm, ObservedSlice, Observer, QualityWindow, WorstAnswers
from releases.observing.watch import EMPTY
from releases.paging import Listing, page_by_start
from releases.rollout_models import Rollback, Serving

LATELY: Final = timedelta(days=1)
EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_JUDGED: Final = Q(mean__isnull=False) & ~Q(verdict=QualityWindow.Verdict.NO_DATA)
_WEIGHTED: Final = {"summed": Sum(F("mean") * F("n"), filter=_JUDGED), "counted": Sum("n", filter=_JUDGED)}
_WINDOWS: Final = Listing("windows", "pk", re.compile(r"[0-9]{1,18}"), int)
_SIDES: Final = ("left__manifest", "target__manifest")


@dataclass(frozen=True, slots=True)
class Point:
    """What the windows of a slice that began within one step came to; `mean` is over all answers that were judged.

    `lowest` is the mean of the lowest window, `floor` the highest floor, `streak` the longest run below it. Windows
    without enough answers are counted as `empty` and judged by nobody; `scored` counts their answers too.
    """

    slice_id: int
    at: datetime
    windows: int
    below: int
    empty: int
    mean: float | None
    lowest: float | None
    floor: float | None
    streak: int
    requests: int
    asked: int
    scored: int
    late: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """A length of time of a slice in short: its quality, how many answers were given to the judge, how many late."""

    slice_id: int
    at: datetime
    mean: float | None
    asked: int
    late: int


def observers_of(organization: Organization) -> QuerySet[Observer]:
    """Observers of an organization, newest first, with what they watch but not the bytes of the manifests."""
    rows = Observer.objects.filter(organization=organization).order_by("-pk")
    return rows.select_related("organization", "application", "route", "release", "serving").defer("release__manifest")


def observers_now(organization: Organization) -> dict[str, Observer]:
    """By route, what watches its serving release."""
    return {row.route_id: row for row in observers_of(organization).filter(ended_at__isnull=True)}


def observer_of(route: Route) -> Observer | None:
    """What watches a route now; where nothing does, what did so last."""
    rows = observers_of(route.organization).filter(route=route)
    return rows.order_by(F("ended_at").desc(nulls_first=True), "-pk").first()


def slices_of(observers: Iterable[Observer]) -> list[ObservedSlice]:
    """Their slices by name."""
    return list(ObservedSlice.objects.filter(observer__in=[row.pk for row in observers]).order_by("slice"))


def newest_windows(slices: Iterable[ObservedSlice]) -> dict[int, QualityWindow]:
    """The last closed window of each slice, by the slice's key."""
    newest = QualityWindow.objects.filter(observed=OuterRef("pk")).order_by("-started_at").values("pk")[:1]
    keys = ObservedSlice.objects.filter(pk__in=[row.pk for row in slices]).annotate(newest=Subquery(newest))
    rows = QualityWindow.objects.filter(pk__in=keys.values("newest"))
    return {row.observed_id: row for row in rows}


def points_of(slices: Sequence[ObservedSlice], *, since: datetime, until: datetime, step: timedelta) -> list[Point]:
    """The windows that began in [since, until), added up by `step`; in order of time."""
    found = (
        _begun(slices, since, until)
        .annotate(at=_binned("started_at", step))
        .values("observed_id", "at")
        .annotate(
            windows=Count("pk"),
            below=Count("pk", filter=Q(verdict=QualityWindow.Verdict.BELOW)),
            empty=Count("pk", filter=Q(verdict=QualityWindow.Verdict.NO_DATA)),
            lowest=Min("mean", filter=_JUDGED),
            floor_then=Max("floor"),
            run=Max("streak"),
            sent=Sum("requests"),
            scored=Sum("n"),
            sampled=Sum("asked"),
            tardy=Sum("late"),
            **_WEIGHTED,
        )
        .order_by("at", "observed_id")
    )
    return [_point(row) for row in found]


def stretches_of(slices: Sequence[ObservedSlice], *, since: datetime, until: datetime) -> list[Stretch]:
    """The same hour by hour and in short, for many slices at once."""
    hours = _begun(slices, since, until).annotate(hour=_binned("started_at", timedelta(hours=1)))
    sums = hours.values("observed_id", "hour").annotate(sampled=Sum("asked"), tardy=Sum("late"), **_WEIGHTED)
    rows = sums.values_list("observed_id", "hour", "summed", "counted", "sampled", "tardy").order_by("hour")
    return [
        Stretch(key, hour, summed / counted if counted else None, asked, late)
        for key, hour, summed, counted, asked, late in rows
    ]


def _begun(slices: Sequence[ObservedSlice], since: datetime, until: datetime) -> QuerySet[QualityWindow]:
    keys = [row.pk for row in slices]
    return QualityWindow.objects.filter(observed__in=keys, started_at__gte=since, started_at__lt=until)


def _binned(field: str, step: timedelta) -> Func:
    return Func(Value(step), F(field), Value(EPOCH), function="date_bin", output_field=DateTimeField())


def _point(row: dict[str, Any]) -> Point:
    return Point(
        slice_id=row["observed_id"],
        at=row["at"],
        windows=row["windows"],
        below=row["below"],
        empty=row["empty"],
        mean=row["summed"] / row["counted"] if row["counted"] else None,
        lowest=row["lowest"],
        floor=row["floor_then"],
        streak=row["run"],
        requests=row["sent"],
        asked=row["sampled"],
        scored=row["scored"],
        late=row["tardy"],
    )


def agreements_of(slices: Iterable[ObservedSlice], since: datetime) -> dict[int, QualityWindow]:
    """Of each slice whose suite has graded answers, the newest window since then that says how the judge agrees."""
    graded = [row.pk for row in slices if row.rho_floor is not None]
    rows = QualityWindow.objects.filter(observed__in=graded, started_at__gte=since, agreement__isnull=False)
    return {row.observed_id: row for row in rows.order_by("observed", "-started_at").distinct("observed")}


def windows_of(slices: Iterable[ObservedSlice]) -> QuerySet[QualityWindow]:
    """Closed windows of these slices, newest first, for `window_page`."""
    rows = QualityWindow.objects.filter(observed__in=[row.pk for row in slices])
    return rows.select_related("observed").order_by("-started_at", "-pk")


def window_page(rows: QuerySet[QualityWindow], cursor: str, limit: int) -> tuple[list[QualityWindow], str | None]:
    """A page of `windows_of` and the cursor of the next, if any; an empty `cursor` begins. Raises `Malformed`."""
    return page_by_start(_WINDOWS, rows, cursor, limit)


def alarms_of(organization: Organization) -> QuerySet[DriftAlarm]:
    """Alarms of an organization, newest first."""
    rows = DriftAlarm.objects.filter(organization=organization).order_by("-pk")
    return rows.select_related(
        "organization", "route__application", "observer__release", "observer__serving", "worst"
    ).defer("observer__release__manifest")


def waiting_alarms(organization: Organization) -> QuerySet[DriftAlarm]:
    """Those that nobody has decided yet, the oldest first."""
    return alarms_of(organization).filter(decided_at__isnull=True).order_by("pk")


def alarm_named(organization: Organization, key: str) -> DriftAlarm:
    """The alarm with this id (drf_…)."""
    return found(alarms_of(organization), "alarm", pk=key)


def silent_slices(organization: Organization) -> list[ObservedSlice]:
    """Slices of serving releases of which ten windows in a row had too few answers: nobody knows how they are."""
    rows = ObservedSlice.objects.filter(
        observer__organization=organization, observer__ended_at__isnull=True, empty_streak__gte=EMPTY
    )
    return list(
        rows.select_related("observer__route__application", "observer__release").order_by(
            "observer__route", "paged_at", "slice"
        )
    )


def rolled_back_lately(organization: Organization, at: datetime) -> list[Rollback]:
    """What was rolled back by rule within a day, newest first, where nothing new serves the route since."""
    later = Serving.objects.filter(route=OuterRef("route"), since__gt=OuterRef("decided_at"))
    rows = Rollback.objects.filter(organization=organization, rehearsed=False, decided_at__gte=at - LATELY)
    automatic = rows.exclude(trigger=Rollback.Trigger.PERSON).filter(~Exists(later)).order_by("-pk")
    return list(automatic.select_related("route__application", "left", "target").defer(*_SIDES))


def worst_of_route(route: Route) -> QuerySet[WorstAnswers]:
    """Sets of worst answers of a route's events, newest first, with what a list of them shows."""
    rows = WorstAnswers.objects.filter(organization=route.organization_id, route=route).order_by("-pk")
    return rows.select_related("left").only("kind", "state", "created_at", "left__number")
