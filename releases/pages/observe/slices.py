"""The slices under an observer as lines of its page: how each stands, its last day, whether rollback is armed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gates.models import Slice
from gates.statistics.limits import meets
from relcontrol.accounts.models import Organization
from releases.monitors.drift import DriftDetector
from releases.observer_models import ObservedSlice, QualityWindow
from releases.observing.detectors import alarm_at
from releases.observing.selectors import Stretch, newest_windows, stretches_of
from releases.pages.observe.wording import Standing, standing, window_words
from releases.pages.sparkline import Spark, spark


@dataclass(frozen=True, slots=True)
class Drift:
    """The drift detector of a slice: its value, the value at which it alarms, and the level it looks for."""

    value: float
    alarm: float
    level: float
    count: int

    @property
    def share(self) -> float:
        """How far it is on its way to the alarm, at most 1."""
        return min(1.0, self.value / self.alarm) if self.alarm else 0.0

    @property
    def alarms(self) -> bool:
        """Whether it has reached its end, where it waits for a person."""
        return self.count > 0 and meets(self.value, self.alarm)


@dataclass(frozen=True, slots=True)
class Line:
    """One slice: its row, name, newest window, and the hours that are looked at."""

    row: ObservedSlice
    name: str
    standing: Standing
    last: QualityWindow | None
    last_words: str
    hours: Sequence[Stretch]
    spark: Spark | None
    drift: Drift | None

    @property
    def armed(self) -> tuple[str, str]:
        """Status and word of automatic rollback here."""
        return ("pass", "Armed") if self.row.armed else ("hold", "Not armed")

    @property
    def late(self) -> int:
        """Answers that came after their window was closed."""
        return sum(hour.late for hour in self.hours)

    @property
    def asked(self) -> int:
        """Answers that were given to the judge."""
        return sum(hour.asked for hour in self.hours)


def lines_of(organization: Organization, rows: Sequence[ObservedSlice], at: datetime, length: timedelta) -> list[Line]:
    """These slices with so much of their past by the hour, the gravest first."""
    names, last = names_of(organization), newest_windows(rows)
    hours: dict[int, list[Stretch]] = {}
    for each in stretches_of(rows, since=at - length, until=at):
        hours.setdefault(each.slice_id, []).append(each)
    lines = [_line(row, names, last.get(row.pk), hours.get(row.pk, [])) for row in rows]
    return sorted(lines, key=lambda line: (line.standing.gravity, line.name))


def names_of(organization: Organization) -> dict[str, str]:
    """What people call slices, by slug."""
    return dict(Slice.objects.filter(organization=organization).values_list("slug", "name"))


def _line(row: ObservedSlice, names: Mapping[str, str], last: QualityWindow | None, hours: Sequence[Stretch]) -> Line:
    name, drift = names.get(row.slice, row.slice), drift_of(row)
    return Line(
        row=row,
        name=name,
        standing=standing(
            floor=row.floor,
            streak=row.streak,
            empty_streak=row.empty_streak,
            mean=last.mean if last else None,
            closed=last is not None,
            drifting=drift is not None and drift.alarms,
        ),
        last=last,
        last_words=_last_words(last),
        hours=hours,
        spark=_spark(row, name, hours),
        drift=drift,
    )


def _last_words(last: QualityWindow | None) -> str:
    if last is None:
        return "none closed yet"
    return window_words(
        verdict=last.verdict, mean=last.mean, n=last.n, n_min=last.n_min, floor=last.floor, asked=last.asked
    )


def _spark(row: ObservedSlice, name: str, hours: Sequence[Stretch]) -> Spark | None:
    if row.floor is None:
        return None
    readings = [(hour.at, hour.mean) for hour in hours if hour.mean is not None]
    usual = row.healthy_mean if row.healthy_mean is not None else row.floor
    return spark(readings, reference=usual, limit=row.floor, above=False, label=f"{name}, the last 24 hours")


def drift_of(row: ObservedSlice) -> Drift | None:
    """How far the drift detector is; None where it has not begun."""
    if not row.detector:
        return None
    found = DriftDetector.from_json(row.detector)
    return Drift(found.value, alarm_at(row.detector), found.level, found.count)
