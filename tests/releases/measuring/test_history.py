"""The points of the charts: one every ten seconds at most, thinned out before they are too many."""

from datetime import timedelta

from releases.measuring.folding import fold
from releases.measuring.history import MOST_POINTS, thinned
from releases.rollout_models import Rollout
from tests.releases.measuring.conftest import Horizon
from tests.releases.measuring.rows import ENTERED, GENERATION, Row, move, write


def _chunk(rollout: Rollout, horizon: Horizon) -> None:
    rows = [Row(subject=f"s{number}", error="timeout" if number < 4 else None) for number in range(200)]
    slow = [Row(arm="stable", subject=f"t{number}", latency_ms=1_600.0) for number in range(198)]
    write(rollout, [*rows, *slow, *(Row(arm="stable", error="timeout") for _ in range(2))], xact=horizon.next())


def test_a_point_reads_the_checkpoint_as_it_stood(rollout: Rollout, horizon: Horizon) -> None:
    _chunk(rollout, horizon)
    (point,) = fold(rollout, ENTERED + timedelta(seconds=2)).history
    assert (point["at"], point["requests"], point["stable_requests"]) == ("2026-11-21T12:00:02Z", 200, 200)
    assert (point["error_rate"], point["stable_error_rate"], point["error_ratio"]) == (0.02, 0.01, 2.0)
    assert 0.49 < point["p95_ratio"] < 0.51
    assert point["quality"] is None


def test_folds_within_ten_seconds_make_one_point(rollout: Rollout, horizon: Horizon) -> None:
    history = []
    for second in (1, 5, 10, 11):
        _chunk(rollout, horizon)
        history = fold(rollout, ENTERED + timedelta(seconds=second)).history
    assert [point["requests"] for point in history] == [200, 800]


def test_at_all_traffic_the_points_compare_with_the_frozen_baseline(rollout: Rollout, horizon: Horizon) -> None:
    _chunk(rollout, horizon)
    fold(rollout, ENTERED + timedelta(seconds=1))
    move(rollout, 3, ENTERED + timedelta(minutes=1), GENERATION + 1)
    write(rollout, [Row(generation=GENERATION + 1)], xact=horizon.next())
    (point,) = fold(rollout, ENTERED + timedelta(minutes=2)).history
    assert (point["error_rate"], point["stable_error_rate"], point["stable_requests"]) == (0.0, 0.01, 0)


def test_too_many_points_are_halved_and_the_newest_stays() -> None:
    points = [{"at": number} for number in range(MOST_POINTS + 1)]
    kept = thinned(points)
    assert len(kept) == MOST_POINTS // 2 + 1
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    assert thinned(points[:MOST_POINTS]) == points[:MOST_POINTS]
