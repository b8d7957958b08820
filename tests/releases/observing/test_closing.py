"""Closing windows: each once, from what was scored in time; without enough answers nobody is judged."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from releases.observer_models import ObservedAnswer, QualityWindow
from releases.observing.closing import close_windows
from tests.releases.observing.stage import MINUTE, Stage, scored

pytestmark = pytest.mark.django_db

SETTLED = timedelta(seconds=30)
BAD, FINE = [0.0] * 12, [1.0] * 12


def closed(here: Stage, *minutes: Sequence[float | None]) -> list[QualityWindow]:
    """Every window of these minutes, one list of scores each."""
    observed = here.slice()
    start = observed.next_from
    for place, scores in enumerate(minutes):
        if scores:
            scored(observed, scores, start + MINUTE * place)
    return close_windows(observed, start + MINUTE * len(minutes) + SETTLED)


def test_a_window_is_closed_once_when_its_time_to_settle_is_over(northgate_stage: Stage) -> None:
    observed, stale = northgate_stage.slice(), northgate_stage.slice()
    start = observed.next_from
    scored(observed, [1.0, 0.5] * 6, start)
    assert close_windows(observed, start + MINUTE + SETTLED - timedelta(seconds=1)) == []
    (row,) = close_windows(observed, start + MINUTE + SETTLED)
    assert (row.started_at, row.ended_at, row.n, row.asked, row.mean) == (start, start + MINUTE, 12, 12, 0.75)
    assert (row.verdict, row.n_min) == ("above", observed.n_min)
    assert row.floor == pytest.approx(0.5525)
    assert northgate_stage.slice().next_from == row.ended_at
    assert close_windows(stale, start + MINUTE + SETTLED) == []
    assert QualityWindow.objects.count() == 1


def test_a_window_waits_for_scores_that_are_still_to_come_but_not_for_ever(northgate_stage: Stage) -> None:
    observed = northgate_stage.slice()
    start = observed.next_from
    scored(observed, [1.0] * 14, start)
    ObservedAnswer.objects.filter(pk__in=[row.pk for row in northgate_stage.answers()[:2]]).update(state="queued")
    assert close_windows(observed, start + MINUTE + SETTLED) == []
    (row,) = close_windows(observed, start + MINUTE * 2)
    assert (row.asked, row.n) == (14, 12)


def test_missing_scores_count_neither_as_good_nor_as_bad(northgate_stage: Stage) -> None:
    (row,) = closed(northgate_stage, [*[1.0] * 10, *[None] * 8])
    assert (row.asked, row.n, row.mean, row.verdict) == (18, 10, 1.0, "above")


def test_no_data_neither_counts_nor_resets_and_ten_in_a_row_page_somebody(northgate_stage: Stage) -> None:
    closed(northgate_stage, BAD, BAD)
    assert northgate_stage.slice().streak == 2
    for number in range(1, 11):
        rows = closed(northgate_stage, *([[]] * 14), [0.0])
        assert [(row.verdict, (row.ended_at - row.started_at) / MINUTE) for row in rows] == [("no_data", 15)]
        now = northgate_stage.slice()
        assert (now.streak, now.empty_streak) == (2 if number < 10 else 0, number)
        assert (now.paged_at is not None) == (number == 10)
    closed(northgate_stage, FINE)
    assert northgate_stage.slice().paged_at is None
    assert northgate_stage.rolled_back() == []


def test_a_breach_is_over_after_three_clear_windows(northgate_stage: Stage) -> None:
    first, *_ = closed(northgate_stage, BAD, BAD)
    assert northgate_stage.slice().breached_since == first.started_at
    closed(northgate_stage, FINE, FINE)
    assert (northgate_stage.slice().streak, northgate_stage.slice().breached_since) == (0, first.started_at)
    closed(northgate_stage, FINE)
    assert northgate_stage.slice().breached_since is None


def test_the_traffic_of_a_window_is_counted_with_what_failed(northgate_stage: Stage) -> None:
    here, start = northgate_stage, northgate_stage.slice().next_from
    here.traffic(8, start)
    here.traffic(3, start, error="upstream_5xx", status=502)
    here.traffic(5, start, arm="shadow")
    here.traffic(5, start, release="f" * 64)
    scored(here.slice(), FINE, start)
    (row,) = close_windows(here.slice(), start + MINUTE + SETTLED)
    assert row.requests == 11
