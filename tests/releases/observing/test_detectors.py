"""The drift detector as it is kept: when it begins, what it takes, when it waits for a person (statistics.md R17)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from releases.observing.detectors import Stored, again, begun, fed, found

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def after(stored: Stored | None, scores: list[list[float]], *, first: int = 0, **changes: Any) -> Stored | None:
    """The detector after minutes with these scores."""
    said: dict[str, Any] = {"healthy_mean": 0.8, "known": True, **changes}
    for place, of_minute in enumerate(scores, start=first):
        stored = fed(stored, of_minute, start=START + MINUTE * place, end=START + MINUTE * (place + 1), **said)
    return stored


def drawn(mean: float, minutes: int, seed: int = 7) -> list[list[float]]:
    """Ten scores a minute around a mean."""
    scores = np.clip(np.random.default_rng(seed).normal(mean, 0.15, (minutes, 10)), 0, 1)
    return [row.tolist() for row in scores]


def test_without_a_healthy_mean_there_is_nothing_to_drift_from() -> None:
    assert after(None, drawn(0.8, 3), healthy_mean=None) is None
    assert found(None) is None


def test_a_healthy_slice_raises_nothing_in_a_day() -> None:
    assert found(after(None, drawn(0.8, 1_440))) is None


def test_a_drop_of_a_tenth_is_found_within_two_hours() -> None:
    healthy = after(None, drawn(0.8, 60))
    drifting = after(healthy, drawn(0.7, 120, seed=8), first=60)
    alarm = found(drifting)
    assert alarm is not None
    assert (alarm.level, alarm.alarm) == (0.75, 432_000)


def test_what_waits_for_a_person_takes_no_more() -> None:
    alarmed = after(None, drawn(0.1, 30))
    assert found(alarmed) is not None
    assert after(alarmed, drawn(0.1, 1), first=30) == alarmed
    assert alarmed is not None
    restarted = again(alarmed, START)
    assert (restarted["count"], restarted["level"], found(restarted)) == (0, alarmed["level"], None)


def test_the_level_of_the_gate_gives_way_once_to_that_of_a_history() -> None:
    gate = after(None, drawn(0.9, 2), healthy_mean=0.6, known=False)
    assert gate is not None
    assert gate["level"] == pytest.approx(0.55)
    known = after(gate, drawn(0.9, 2), first=2, healthy_mean=0.9, known=True)
    assert known is not None
    assert (known["level"], known["count"]) == (pytest.approx(0.85), 20)
    later = after(known, drawn(0.9, 1), first=4, healthy_mean=0.7, known=True)
    assert later is not None
    assert later["level"] == known["level"]


def test_a_level_that_a_person_has_set_stays() -> None:
    stored = begun(0.6, START, known=True)
    kept = after(stored, drawn(0.7, 5), healthy_mean=0.9)
    assert kept is not None
    assert kept["level"] == 0.6
