"""Whether automatic rollback is armed on a slice, with how many scores, and why not (statistics.md R16)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from releases.observing.odds import chance_of_three, in_normal_units
from releases.observing.plan import MOST, Plan, n_min_of, plan_of, required_ratio

HEALTHY: dict[str, Any] = {
    "floor": 0.68,
    "healthy_mean": 0.85,
    "spread": 0.25,
    "correlation": 0.0,
    "windows_known": 500,
    "samples_a_minute": 20.0,
    "target": True,
    "returned": False,
}


def _plan(**changed: Any) -> Plan:
    return plan_of(**(HEALTHY | changed))


@pytest.mark.parametrize(
    ("spread", "headroom", "n"),
    [(0.25, 0.17, 14), (0.25, 0.25, 10), (0.25, 0.1, 40), (0.0, 0.1, 10), (0.2, 0.2 * 6.3**0.5 / 20**0.5, 20)],
)
def test_a_window_needs_6_3_times_the_squared_ratio_of_spread_to_headroom_but_ten_at_least(
    spread: float, headroom: float, n: int
) -> None:
    assert n_min_of(spread, headroom) == n


@pytest.mark.parametrize(("spread", "headroom"), [(0.25, 0.0), (0.25, -0.1), (-0.1, 0.1)])
def test_no_window_is_planned_without_headroom(spread: float, headroom: float) -> None:
    with pytest.raises(ValueError, match="headroom above 0"):
        n_min_of(spread, headroom)


@pytest.mark.parametrize(
    ("correlation", "ratio"),
    [(-0.3, 2.5), (0, 2.5), (0.2, 2.9), (0.3, 3.1), (0.4, 3.3), (0.6, 3.8), (0.8, 4.3), (0.85, 4.45), (0.9, 4.6)],
)
def test_correlated_windows_need_a_floor_further_away(correlation: float, ratio: float) -> None:
    assert required_ratio(correlation) == pytest.approx(ratio)


def test_windows_that_are_too_alike_never_arm() -> None:
    assert required_ratio(0.901) is None


@pytest.mark.parametrize("correlation", [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9])
def test_at_the_required_ratio_about_a_hundredth_of_a_false_rollback_a_month_is_expected(correlation: float) -> None:
    assert 0.004 < chance_of_three(required_ratio(correlation) or 0, correlation) * 43_200 < 0.011


def test_a_healthy_slice_is_armed_and_says_how_it_acts() -> None:
    plan = _plan()
    assert plan == replace(plan, armed=True, n_min=14, correlation=0.0, lengths=1)
    assert plan.headroom == pytest.approx(0.17)
    assert plan.s_min == pytest.approx(0.25 / 14**0.5)
    assert plan.false_rollbacks_per_month == pytest.approx(0.007, abs=0.0005)
    assert plan.why == (
        "Armed: three windows in a row below 0.68 take the release back; a window needs 14 scores, which takes about "
        "a minute."
    )


def test_a_floor_that_was_computed_is_written_with_two_decimals() -> None:
    assert "in a row below 0.57 take" in _plan(floor=0.5671093749999999).why


def test_what_is_only_assumed_is_said_so() -> None:
    assert _plan(windows_known=29).why.endswith("How much scores vary is assumed until 30 windows are known.")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"floor": None}, "there is no floor here"),
        ({"target": False}, "no release that this route could go back to"),
        ({"returned": True}, "came by a rollback, and a rollback is never rolled back automatically"),
        ({"healthy_mean": None}, "how good healthy answers of this slice are is not known yet"),
        ({"healthy_mean": 0.68}, "the healthy mean 0.68 is not above the floor 0.68"),
        ({"healthy_mean": 0.6}, "the healthy mean 0.60 is not above the floor 0.68"),
        ({"correlation": 0.93}, "neighbouring windows are too alike (correlation 0.93, at most 0.90)"),
        ({"between": 0.08}, "changes by 0.08 by itself, too much for a floor only 0.17 under the healthy mean"),
        ({"samples_a_minute": 0.9}, "a window needs 14 scores, and about 0.9 a minute come: too few for 15 minutes"),
        ({"samples_a_minute": 0.0}, "a window needs 14 scores, and about 0.0 a minute come: too few for 15 minutes"),
        ({"floor": 0.83}, "a window needs 985 scores, and about 20.0 a minute come"),
    ],
)
def test_each_refusal_is_a_sentence(changed: dict[str, Any], words: str) -> None:
    plan = _plan(**changed)
    assert not plan.armed
    assert plan.why.startswith("Not armed: ")
    assert words in plan.why
    assert plan.false_rollbacks_per_month is None


@pytest.mark.parametrize(("changed", "n_min"), [({"floor": None}, 10), ({"healthy_mean": 0.6}, 10)])
def test_windows_of_a_slice_without_headroom_need_ten_scores(changed: dict[str, Any], n_min: int) -> None:
    assert _plan(**changed).n_min == n_min


def test_no_window_asks_for_more_than_the_budget_brings_in_fifteen_minutes() -> None:
    assert _plan(floor=0.83).n_min == MOST == 300


def test_thin_traffic_makes_longer_windows_and_fewer_of_them() -> None:
    thick, thin = _plan(), _plan(samples_a_minute=1.0)
    assert (thin.armed, thin.lengths) == (True, 14)
    assert "which takes about 14 minutes" in thin.why
    assert thin.false_rollbacks_per_month == pytest.approx((thick.false_rollbacks_per_month or 0) / 14)


def test_correlated_windows_take_more_scores_instead_of_being_refused() -> None:
    plan = _plan(correlation=0.4)
    assert (plan.armed, plan.n_min) == (True, 24)
    assert (plan.headroom or 0) / (plan.s_min or 1) >= 3.3


def test_a_quality_that_changes_by_itself_takes_more_scores() -> None:
    plan = _plan(between=0.05)
    assert (plan.armed, plan.n_min) == (True, 30)
    assert (plan.s_min or 0) ** 2 == pytest.approx(0.05**2 + 0.25**2 / 30)


def test_scores_with_rare_bad_ones_take_more_and_rare_good_ones_no_fewer() -> None:
    assert _plan(skewness=-4.0).n_min > 14
    assert _plan(skewness=4.0).n_min == 14


@pytest.mark.parametrize("n", [10, 16, 40])
def test_the_tail_of_good_or_bad_scores_is_never_taken_for_thinner_than_it_is(n: int) -> None:
    p = 0.05
    draws = np.random.default_rng(n).binomial(n, p, 2_000_000) / n
    for ratio in (1.5, 2.0, 2.5, 3.0):
        s = (p * (1 - p) / n) ** 0.5
        skewness = np.array([-(1 - 2 * p) / (n * p * (1 - p)) ** 0.5])
        units = in_normal_units(np.array([ratio]), skewness)
        counted = np.mean(draws > p + ratio * s + 1e-9)
        assert counted <= 2 * ndtr(-units[0])


def test_what_is_armed_stays_so_a_little_below_what_arming_takes() -> None:
    at_the_edge = {"samples_a_minute": 13 / 15}
    assert not _plan(**at_the_edge).armed
    assert _plan(**at_the_edge, ease=0.9).armed
    assert not _plan(samples_a_minute=10.5 / 15, ease=0.9).armed


def test_a_rehearsals_short_minute_closes_shorter_windows() -> None:
    plan = _plan(minute=timedelta(seconds=10), samples_a_minute=120.0)
    assert (plan.armed, plan.lengths) == (True, 1)
    assert "about 10 seconds" in plan.why


def test_scores_that_never_varied_are_armed_with_ten() -> None:
    plan = _plan(spread=0.0)
    assert (plan.armed, plan.n_min, plan.false_rollbacks_per_month) == (True, 10, 0.0)


@given(
    spread=st.floats(0, 0.5),
    correlation=st.floats(0, 0.9),
    between=st.floats(0, 0.1),
    skewness=st.floats(-8, 2),
    mean=st.floats(0.3, 1),
    samples=st.floats(0, 20),
)
def test_whatever_is_armed_expects_at_most_a_hundredth_of_a_false_rollback_a_month(
    *, spread: float, correlation: float, between: float, skewness: float, mean: float, samples: float
) -> None:
    plan = _plan(
        spread=spread,
        correlation=correlation,
        between=between,
        skewness=skewness,
        healthy_mean=mean,
        samples_a_minute=samples,
    )
    assert plan.n_min >= 10
    if plan.armed:
        assert plan.n_min <= samples * 15 + 1e-6
        assert 0 <= (plan.false_rollbacks_per_month or 0) <= 0.0105


@given(st.floats(0.01, 0.5), st.floats(0.02, 0.5))
def test_of_two_headrooms_the_smaller_never_takes_fewer_scores(spread: float, headroom: float) -> None:
    assert n_min_of(spread, headroom) <= n_min_of(spread, headroom * 0.9)
