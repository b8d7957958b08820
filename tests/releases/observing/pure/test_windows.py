"""Which window can be closed, when, and what it says (statistics.md R16)."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.observing.windows import LONGEST, MINUTE, Closing, Sample, close_of, scores_within, settle_of

START = datetime(2026, 3, 15, 14, 3, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def _at(seconds: float) -> datetime:
    return START + seconds * SECOND


def _sample(seconds: float, score: float | None = 0.8) -> Sample:
    return Sample(_at(seconds), score, scored=True)


def _waiting(seconds: float) -> Sample:
    return Sample(_at(seconds), None, scored=False)


def _close(samples: Iterable[Sample], seconds: float, **changed: Any) -> Closing | None:
    kept: dict[str, Any] = {"start": START, "n_min": 10, "floor": 0.7} | changed
    return close_of(samples=list(samples), now=_at(seconds), **kept)


def _full(first: float = 0, score: float = 0.8) -> list[Sample]:
    return [_sample(first + 5 * count, score) for count in range(12)]


def test_a_minute_with_enough_scores_is_closed_once_it_has_settled() -> None:
    assert _close(_full(), 89.9) is None
    assert _close(_full(score=0.75), 90) == Closing(START, _at(60), 12, 12, 0.75, 0.0, "above")


def test_thin_traffic_makes_a_window_longer_by_whole_minutes() -> None:
    thin = [_sample(20 * count) for count in range(60)]
    closing = _close(thin, 3600)
    assert closing is not None
    assert (closing.end, closing.n) == (_at(240), 12)


def test_a_window_of_fifteen_minutes_without_enough_scores_is_no_data() -> None:
    few = [_sample(100 * count) for count in range(9)]
    assert _close(few, 929) is None
    closing = _close(few, 930)
    assert closing is not None
    assert (closing.end - closing.start, closing.n, closing.verdict) == (LONGEST, 9, "no_data")
    assert closing.mean == pytest.approx(0.8)


def test_a_window_without_any_answer_has_no_mean() -> None:
    assert _close([], 930) == Closing(START, _at(900), 0, 0, None, None, "no_data")


def test_a_single_score_has_no_standard_deviation() -> None:
    closing = _close([_sample(3, 0.9)], 930)
    assert closing is not None
    assert (closing.mean, closing.sd, closing.asked) == (0.9, None, 1)


def test_a_window_waits_a_minute_for_scores_that_are_still_to_come() -> None:
    samples = [*_full(), _waiting(30)]
    assert _close(samples, 119.9) is None
    closing = _close(samples, 120)
    assert closing is not None
    assert (closing.n, closing.asked, closing.end) == (12, 13, _at(60))


def test_answers_of_the_next_minute_are_not_waited_for() -> None:
    closing = _close([*_full(), _waiting(60)], 90)
    assert closing is not None
    assert closing.asked == 12


def test_missing_scores_are_asked_and_not_counted() -> None:
    missing = [_sample(50, None), _sample(51, float("nan"))]
    closing = _close([*_full(), *missing], 90)
    assert closing is not None
    assert (closing.n, closing.asked) == (12, 14)
    assert closing.mean == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("score", "floor", "verdict"),
    [
        (0.7, 0.7, "above"),
        (0.7 - 1e-10, 0.7, "above"),
        (0.7 - 1e-8, 0.7, "below"),
        (0.71, 0.7, "above"),
        (0.0, None, "above"),
    ],
)
def test_equality_with_the_floor_passes(score: float, floor: float | None, verdict: str) -> None:
    closing = _close(_full(score=score), 90, floor=floor)
    assert closing is not None
    assert closing.verdict == verdict


def test_what_was_served_before_the_window_is_not_of_it() -> None:
    closing = _close([*_full(), _sample(-1, 0.0), _waiting(-5)], 90)
    assert closing is not None
    assert closing.n == 12
    assert closing.mean == pytest.approx(0.8)


def test_a_closer_that_was_away_for_an_hour_closes_minute_by_minute() -> None:
    samples, start, ends = [*_full(), *_full(60), *_full(120)], START, []
    while (closing := close_of(start=start, now=_at(3600), samples=samples, n_min=10, floor=0.7)) is not None:
        ends.append((closing.end - START).total_seconds())
        start = closing.end
    assert ends == [60, 120, 180, 1080, 1980, 2880]


@pytest.mark.parametrize(("seconds", "settle", "scores"), [(60, 30, 60), (30, 15, 30), (10, 5, 10)])
def test_a_rehearsals_short_minute_settles_sooner(seconds: float, settle: float, scores: float) -> None:
    assert settle_of(seconds * SECOND) == settle * SECOND
    assert scores_within(seconds * SECOND) == scores * SECOND


def test_a_rehearsals_windows_are_as_short_as_its_minute() -> None:
    samples = [_sample(count * 0.9) for count in range(11)]
    short = {"minute": timedelta(seconds=10)}
    assert _close(samples, 14.9, **short) is None
    closing = _close(samples, 15, **short)
    assert closing is not None
    assert closing.end == _at(10)
    last = _close([], 155, **short)
    assert last is not None
    assert last.end == _at(150)


@pytest.mark.parametrize("changed", [{"n_min": 0}, {"minute": timedelta(0)}])
def test_a_window_without_size_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="at least"):
        _close([], 90, **changed)


scores = st.one_of(st.none(), st.floats(0, 1))
moments = st.integers(0, 1200).map(float)
known = st.lists(st.builds(_sample, moments, scores), max_size=60)
maybe = st.lists(st.one_of(st.builds(_sample, moments, scores), st.builds(_waiting, moments)), max_size=60)
times = st.integers(0, 3000).map(float)


@given(maybe, times, st.randoms())
def test_the_order_of_answers_makes_no_difference(samples: list[Sample], now: float, random: Any) -> None:
    shuffled = list(samples)
    random.shuffle(shuffled)
    assert _close(shuffled, now) == _close(samples, now)


@given(maybe, times, st.integers(1, 15))
def test_windows_follow_one_another_without_gap_or_overlap(samples: list[Sample], now: float, n_min: int) -> None:
    start, windows = START, []
    while (closing := _close(samples, now, start=start, n_min=n_min)) is not None:
        windows.append(closing)
        start = closing.end
    assert [window.start for window in windows] == [START, *(window.end for window in windows)][: len(windows)]
    for window in windows:
        assert MINUTE <= window.end - window.start <= LONGEST
        assert (window.end - START) % MINUTE == timedelta(0)
        assert window.end + settle_of() <= _at(now)
        assert window.n >= n_min or (window.end - window.start == LONGEST and window.verdict == "no_data")
    asked = sum(window.asked for window in windows)
    assert asked == sum(START <= sample.at < start for sample in samples)


@given(known, times, st.integers(0, 3000).map(float))
def test_a_window_is_the_same_whenever_it_is_looked_at(samples: list[Sample], now: float, later: float) -> None:
    closing = _close(samples, now)
    if closing is not None:
        assert _close(samples, now) == closing
        assert _close(samples, now + later) == closing


@given(known, known, times)
def test_more_scores_never_take_a_closed_window_back(some: list[Sample], more: list[Sample], now: float) -> None:
    closing, fuller = _close(some, now), _close([*some, *more], now)
    if closing is not None:
        assert fuller is not None
        assert fuller.end <= closing.end
