"""The drift detector of one watched slice as its row keeps it (statistics.md R17).

Pure. The level is set once: by the release's healthy mean as the gate measured it, and again when there is a history of
its own; after that it stays until a person moves it, so that what drifts slowly does not take it along.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from releases.monitors.drift import DriftDetector, alarm_of, level_of

MINUTE: Final = timedelta(minutes=1)

Stored = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """The detector's `value` at or over the `alarm`: scores of late lie under `level`; `n` were looked at."""

    value: float
    alarm: float
    level: float
    n: int


def begun(level: float, at: datetime, *, known: bool) -> Stored:
    """A detector that has seen nothing yet; `known`: its level rests on a history, or a person set it."""
    return {**DriftDetector(level).as_json(), "known": known, "since": at.isoformat(), "until": at.isoformat()}


def again(stored: Mapping[str, Any], at: datetime) -> Stored:
    """The same level, from the beginning."""
    return begun(float(stored["level"]), at, known=bool(stored["known"]))


def fed(
    stored: Mapping[str, Any] | None,
    scores: Iterable[float | None],
    *,
    healthy_mean: float | None,
    known: bool,
    start: datetime,
    end: datetime,
) -> Stored | None:
    """The detector after the scores of the window [start, end), in the order of their answers; None without a mean.

    `known`: `healthy_mean` is of a history. One that has reached its alarm waits for a person and takes no more.
    """
    if (stored is None or (known and not stored["known"])) and healthy_mean is not None:
        stored = begun(level_of(healthy_mean), start, known=known)
    if stored is None:
        return None
    if found(stored) is not None:
        return dict(stored)
    after = DriftDetector.from_json(stored).after(scores)
    return {**stored, **after.as_json(), "until": end.isoformat()}


def found(stored: Mapping[str, Any] | None) -> Found | None:
    """What a person has to look at, or None."""
    if stored is None or not stored["count"]:
        return None
    detector, alarm = DriftDetector.from_json(stored), alarm_at(stored)
    return Found(detector.value, alarm, detector.level, detector.count) if detector.alarms(alarm) else None


def alarm_at(stored: Mapping[str, Any]) -> float:
    """The value at which it alarms, as many scores a minute as have come so far."""
    return alarm_of(int(stored["count"]) / max(1.0, _minutes(stored)))


def _minutes(stored: Mapping[str, Any]) -> float:
    return (datetime.fromisoformat(stored["until"]) - datetime.fromisoformat(stored["since"])) / MINUTE
