"""Calls in flight, as the figures of `manage.py bench judge` count them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relcontrol.bench.judge_calls import (
    Noted,
    ideal_seconds,
    in_flight_by_second,
    most_at_once,
    spread,
    tokens_of,
)
from relcontrol.bench.judge_stage import suite_cases
from relcontrol.demo.topics import TOPICS

moments = st.floats(0, 20)
calls_of = st.lists(st.tuples(moments, st.floats(0.01, 5)), min_size=1, max_size=30).map(
    lambda pairs: [noted(began, began + took) for began, took in pairs]
)


def noted(began: float, ended: float) -> Noted:
    return Noted(began, ended, 3, 2, "{}")


def test_each_second_has_the_mean_of_the_calls_that_were_in_flight_in_it() -> None:
    calls = [noted(10.0, 12.0), noted(10.5, 11.0), noted(11.0, 11.25)]
    assert in_flight_by_second(calls) == pytest.approx([1.5, 1.25])


def test_the_last_second_counts_as_far_as_it_goes() -> None:
    assert in_flight_by_second([noted(0.0, 1.5), noted(1.0, 1.5)]) == pytest.approx([1.0, 2.0])


def test_without_calls_nothing_is_in_flight() -> None:
    assert (in_flight_by_second([]), most_at_once([]), spread([])) == ([], 0, "none")


def test_a_call_that_ends_as_another_begins_is_not_beside_it() -> None:
    assert most_at_once([noted(0, 1), noted(1, 2), noted(0.5, 1.5)]) == 2


@given(calls_of)
def test_all_seconds_together_are_the_time_of_all_calls(calls: list[Noted]) -> None:
    first, last = min(call.began for call in calls), max(call.ended for call in calls)
    means = in_flight_by_second(calls)
    lengths = [min(1.0, last - first - second) for second in range(len(means))]
    total = sum(mean * length for mean, length in zip(means, lengths, strict=True))
    assert total == pytest.approx(sum(call.took for call in calls), rel=1e-6)
    assert max(means) <= most_at_once(calls) + 1e-6


def test_the_limit_loses_no_moment() -> None:
    calls = [noted(0, 2), noted(0, 2), noted(0, 4)]
    assert (ideal_seconds(calls, 4), tokens_of(calls)) == (2.0, 15)


def test_a_spread_is_least_middle_and_most() -> None:
    assert spread([3, 1, 2]) == "1.0 / 2.0 / 3.0"


def test_the_cases_of_the_bench_are_spread_evenly_and_each_is_its_own() -> None:
    cases = list(suite_cases(1_200))
    assert len({case["case_id"] for case in cases}) == len({case["input"] for case in cases}) == 1_200
    assert {topic.slug: sum(case["slice"] == topic.slug for case in cases) for topic in TOPICS} == dict.fromkeys(
        (topic.slug for topic in TOPICS), 200
    )
