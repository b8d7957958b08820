"""Thirty days of healthy windows, over and over: no more false rollbacks than the page predicts (statistics.md R16).

At the arming limit a slice expects one in a hundred months, so that hundreds of them show next to nothing. The law is
therefore checked nearer to the floor, where there are enough to count, and at the limit over 400 months for its order.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from scipy.special import pdtrik

from releases.observing.estimates import estimates_of, skewness_of
from releases.observing.plan import Plan, plan_of, required_ratio
from tests.releases.observing.pure.months import (
    MONTH,
    Means,
    autoregressive,
    by_the_watch,
    counted,
    false_rollbacks,
    known_windows,
)

MEAN = 0.85
MONTHS = 200


def _plan(**changed: Any) -> Plan:
    known: dict[str, Any] = {
        "floor": 0.68,
        "healthy_mean": MEAN,
        "spread": 0.25,
        "correlation": 0.0,
        "windows_known": MONTH,
        "samples_a_minute": 20.0,
        "target": True,
        "returned": False,
    }
    return plan_of(**(known | changed))


def _at_most(expected: float) -> float:
    """What a count with this expectation exceeds once in a thousand times."""
    return float(np.ceil(pdtrik(0.999, max(expected, 1e-3)))) + 1


def _normal(plan: Plan, correlation: float) -> Callable[[np.random.Generator, int], Means]:
    """Window means around the healthy mean with the plan's own deviation."""
    s_min, windows = np.float32(plan.s_min or 0), MONTH // (plan.lengths or 1)
    return lambda rng, rows: np.float32(MEAN) + s_min * autoregressive(rng, rows, windows, correlation)


def _floor(correlation: float, factor: float = 1.0) -> float:
    """The floor that makes a minute's 20 scores just enough, or lies further away by a factor."""
    ratio: float = max(required_ratio(correlation) or 0, 6.3**0.5)
    return MEAN - factor * ratio * 0.25 / math.sqrt(20) - 1e-6


@pytest.mark.parametrize("correlation", [0.0, 0.2, 0.4, 0.6, 0.8, 0.9])
def test_at_the_arming_limit_200_months_hold_what_is_predicted(correlation: float) -> None:
    plan = _plan(floor=_floor(correlation), correlation=correlation)
    assert (plan.armed, plan.n_min, plan.lengths) == (True, 20, 1)
    found = counted(_normal(plan, correlation), _floor(correlation), months=MONTHS, seed=16)
    assert found <= _at_most(2 * MONTHS * (plan.false_rollbacks_per_month or 0))


@pytest.mark.parametrize("correlation", [0.0, 0.9])
def test_well_beyond_the_limit_there_are_none(correlation: float) -> None:
    floor = _floor(correlation, 1.5)
    plan = _plan(floor=floor, correlation=correlation)
    s_min = 0.25 / 20**0.5  # a minute brings 20 scores, although fewer would do
    found = counted(
        lambda rng, rows: np.float32(MEAN) + np.float32(s_min) * autoregressive(rng, rows, MONTH, correlation),
        floor,
        months=50,
        seed=17,
    )
    assert plan.armed
    assert found == 0


@pytest.mark.parametrize("correlation", [0.0, 0.2, 0.4, 0.6, 0.8, 0.9])
def test_nearer_to_the_floor_the_prediction_is_what_is_counted(correlation: float) -> None:
    plan = _plan(floor=_floor(correlation), correlation=correlation, ease=0.65)
    expected = 50 * (plan.false_rollbacks_per_month or 0)
    found = counted(_normal(plan, correlation), _floor(correlation), months=50, seed=18)
    assert plan.lengths == 1
    assert expected > 60
    assert expected / 2 < found < 1.25 * expected


def test_windows_of_several_minutes_are_fewer_and_so_are_their_false_rollbacks() -> None:
    plan = _plan(floor=_floor(0.4), correlation=0.4, samples_a_minute=4.0, ease=0.65)
    expected = 50 * (plan.false_rollbacks_per_month or 0)
    assert plan.lengths == 3
    assert expected / 2 < counted(_normal(plan, 0.4), _floor(0.4), months=50, seed=19) < 1.25 * expected


@pytest.mark.parametrize("good", [0.95, 0.85])
def test_scores_that_are_good_or_bad_are_no_exception(good: float) -> None:
    spread, skewness = (good * (1 - good)) ** 0.5, (1 - 2 * good) / (good * (1 - good)) ** 0.5
    known = {"floor": 0.85 * good, "healthy_mean": good, "spread": spread}
    plan = _plan(**known, skewness=skewness)

    def draw(rng: np.random.Generator, rows: int) -> Means:
        return (rng.binomial(plan.n_min, good, (rows, MONTH // (plan.lengths or 1))) / plan.n_min).astype(np.float32)

    assert plan.n_min > _plan(**known).n_min
    found = counted(draw, 0.85 * good, months=MONTHS // 2, seed=20)
    assert found <= _at_most(2 * (MONTHS // 2) * (plan.false_rollbacks_per_month or 0))


@pytest.mark.parametrize(("between", "remembered", "floor"), [(0.0, 0.0, 0.74), (0.02, 0.9, 0.70), (0.04, 0.5, 0.68)])
def test_plans_from_ten_hours_of_a_slices_own_windows_hold_on_average(
    between: float, remembered: float, floor: float
) -> None:
    def means(rng: np.random.Generator, rows: int, windows: int, n: int) -> Means:
        quality = np.float32(between) * autoregressive(rng, rows, windows, remembered)
        return np.float32(MEAN) + quality + np.float32(0.2 / n**0.5) * autoregressive(rng, rows, windows, 0)

    found, expected = 0, 0.0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        sds = np.float32(0.2) * np.sqrt(rng.chisquare(19, 600) / 19, dtype=np.float32)
        learned = estimates_of(known_windows(means(rng, 1, 600, 20)[0], sds, 20))
        plan = _plan(
            floor=floor,
            healthy_mean=learned.mean,
            spread=learned.spread,
            correlation=learned.correlation,
            between=learned.between,
        )
        windows, n = MONTH // (plan.lengths or 1), plan.n_min
        found += counted(partial(_of, means, windows, n), floor, months=50, seed=seed)
        expected += 50 * (plan.false_rollbacks_per_month or 0)
        assert plan.armed
    assert found <= _at_most(2 * expected)


def _of(means: Callable[..., Means], windows: int, n: int, rng: np.random.Generator, rows: int) -> Means:
    return means(rng, rows, windows, n)


def test_where_a_plan_for_independent_windows_would_be_unsafe_it_refuses() -> None:
    just_enough = {"floor": _floor(0.0), "samples_a_minute": 20 / 15}
    naive, honest = _plan(**just_enough), _plan(**just_enough, correlation=0.6)
    s_min, windows = np.float32(naive.s_min or 0), MONTH // 15
    found = counted(
        lambda rng, rows: np.float32(MEAN) + s_min * autoregressive(rng, rows, windows, 0.6),
        _floor(0.0),
        months=MONTHS,
        seed=23,
    )
    assert naive.armed
    assert not honest.armed
    assert found > 20 * MONTHS * (naive.false_rollbacks_per_month or 0)


def test_months_are_counted_as_the_observer_watches() -> None:
    means = MEAN + 0.05 * autoregressive(np.random.default_rng(24), 3, MONTH, 0.4)
    fast = [false_rollbacks(means[row : row + 1], 0.77) for row in range(3)]
    assert fast == [by_the_watch(means[row], 0.77) for row in range(3)]
    assert min(fast) > 5


def test_what_windows_say_of_a_slice_is_near_the_truth() -> None:
    rng = np.random.default_rng(25)
    means = MEAN + 0.03 * autoregressive(rng, 1, 5000, 0.8)[0] + 0.25 / 20**0.5 * autoregressive(rng, 1, 5000, 0)[0]
    learned = estimates_of(known_windows(means, np.full(5000, 0.25, np.float32), 20))
    truth = 0.03**2 + 0.25**2 / 20
    assert learned.mean == pytest.approx(MEAN, abs=0.005)
    assert learned.spread == pytest.approx(0.25, abs=1e-6)
    assert 0.03 <= learned.between == pytest.approx(0.03, abs=0.004)
    assert 0.8 * 0.03**2 / truth <= learned.correlation == pytest.approx(0.8 * 0.03**2 / truth, abs=0.05)


def test_few_windows_are_read_with_more_caution_than_many() -> None:
    means = np.tile(np.array([0.8, 0.8, 0.9, 0.9], np.float32), 150)  # every second neighbour is alike
    few, many = (estimates_of(known_windows(means[:size], np.full(size, 0.2, np.float32), 20)) for size in (36, 600))
    assert few.correlation == pytest.approx(1 / 35**0.5, abs=0.06)
    assert many.correlation == pytest.approx(1 / 599**0.5, abs=0.01)
    assert few.between > many.between > (0.05**2 - 0.2**2 / 20) ** 0.5


def test_windows_with_a_gap_between_them_are_no_neighbours() -> None:
    means = np.tile(np.array([0.7, 0.9], np.float32), 20)
    windows = known_windows(means, np.full(40, 0.2, np.float32), 20)
    alike = estimates_of([*windows[::4], *windows[1::4]])
    assert estimates_of(windows).correlation == 0.0  # neighbours alternate
    assert alike.correlation == 0.0  # there are none
    blocks = known_windows(np.repeat(np.array([0.7, 0.9], np.float32), 20), np.full(40, 0.2, np.float32), 20)
    assert estimates_of(blocks).correlation > 0.9


def test_one_window_says_nothing() -> None:
    with pytest.raises(ValueError, match="two windows"):
        estimates_of(known_windows(np.array([0.8], np.float32), np.array([0.2], np.float32), 20))


def test_skewness_is_that_of_the_scores_and_nothing_of_few_or_equal_ones() -> None:
    assert skewness_of([1.0] * 95 + [0.0] * 5) == pytest.approx(-(1 - 0.1) / (0.05 * 0.95) ** 0.5)
    assert skewness_of([1.0] * 94 + [0.0] * 5) == 0.0
    assert skewness_of([0.8] * 200) == 0.0
