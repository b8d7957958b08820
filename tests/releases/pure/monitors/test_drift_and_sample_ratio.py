"""Drift above the floor, and whether the arms get their subjects."""

import numpy as np
import pytest

from releases.monitors.drift import DriftDetector, alarm_of, level_of
from releases.monitors.sample_ratio import sample_ratio


def test_a_drop_of_a_tenth_alarms_within_the_hour_at_ten_scores_a_minute() -> None:
    scores = np.clip(np.random.default_rng(1).normal(0.70, 0.15, 900), 0, 1)
    detector, alarm = DriftDetector(level_of(0.80)), alarm_of(10)
    after = next(n for n in range(0, 900, 10) if detector.after(scores[:n].tolist()).alarms(alarm))
    assert after <= 600


def test_a_healthy_quality_does_not_alarm_in_a_day() -> None:
    scores = np.clip(np.random.default_rng(2).normal(0.80, 0.15, 14_400), 0, 1)
    assert not DriftDetector(level_of(0.80)).after(scores.tolist()).alarms(alarm_of(10))


def test_missing_scores_change_nothing() -> None:
    assert DriftDetector(0.7).after([None, float("nan"), float("inf")]) == DriftDetector(0.7)


def test_no_score_at_all_does_not_alarm() -> None:
    assert not DriftDetector(0.7).alarms(0.0)


@pytest.mark.parametrize(("healthy", "level"), [(0.8, 0.75), (0.02, 0.01), (1.0, 0.95)])
def test_the_level_lies_a_twentieth_under_the_healthy_mean_and_inside_the_scale(healthy: float, level: float) -> None:
    assert level_of(healthy) == pytest.approx(level)


@pytest.mark.parametrize("level", [0.0, 1.0, -0.2, float("nan")])
def test_a_level_outside_the_scale_is_refused(level: float) -> None:
    with pytest.raises(ValueError, match="scores lie on"):
        DriftDetector(level)


def test_shares_that_are_met_are_no_failure() -> None:
    ratio = sample_ratio([52, 948], [0.05, 0.95])
    assert not ratio.failed
    assert ratio.reasons()[0].startswith("1,000 distinct subjects: candidate 5.20 % (should be 5.00 %)")


def test_twice_the_share_is_a_failure() -> None:
    ratio = sample_ratio([100, 900], [0.05, 0.95])
    assert ratio.failed
    assert ratio.reasons()[0].endswith("The assignment of subjects is broken: nothing is decided on it.")


def test_nobody_yet_is_no_failure() -> None:
    ratio = sample_ratio([0, 0], [0.05, 0.95])
    assert (ratio.failed, ratio.reasons()) == (False, ("No subject has been seen since this checkpoint began.",))


def test_one_arm_alone_is_always_right() -> None:
    assert not sample_ratio([5000, 0], [1.0, 0.0]).failed


def test_a_subject_in_an_arm_without_a_share_is_a_failure() -> None:
    assert sample_ratio([5000, 1], [1.0, 0.0]).failed


@pytest.mark.parametrize(
    ("counts", "shares"), [([1], [0.5, 0.5]), ([1, 2], [0.5, 0.6]), ([-1, 2], [0.5, 0.5]), ([1, 2], [-0.5, 1.5])]
)
def test_counts_and_shares_that_do_not_fit_are_refused(counts: list[int], shares: list[float]) -> None:
    with pytest.raises(ValueError, match=r"arm"):
        sample_ratio(counts, shares)


def test_sound_assignments_looked_at_all_the_time_alarm_at_most_once_in_a_hundred() -> None:
    rng, alarms = np.random.default_rng(3), 0
    for share in (0.05, 0.25, 0.5):
        for _ in range(100):
            seen = np.cumsum(rng.random(3000) < share)
            looks = range(99, 3000, 100)
            alarms += any(sample_ratio([int(seen[n]), n + 1 - int(seen[n])], [share, 1 - share]).failed for n in looks)
    assert alarms <= 3
