"""What is known of a healthy slice: its own windows, the release before it, or what is assumed (statistics.md R16)."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from relcontrol.clock import now
from releases.models import Release
from releases.observer_models import ObservedSlice
from releases.observing.history import History, history_of
from releases.rollout_models import Serving
from tests.releases.canary import serving
from tests.releases.observing.factory import observed, observer
from tests.releases.observing.histories import MINUTE, closed, scored, steady
from tests.releases.scene import OTHER_PROMPT, Scene, stable

ASSUMED = History(healthy_mean=0.9, spread=0.25, correlation=0.0, windows=0)


@pytest.fixture
def at() -> datetime:
    return now().replace(second=0, microsecond=0)


@pytest.fixture
def earlier(northgate: Scene) -> ObservedSlice:
    """The slice of the release that served until a moment ago."""
    first = stable(northgate.registered()["release_id"])
    serving(first)
    return observed(observer(_read(first), ended_at=now()), healthy_mean=0.7)


@pytest.fixture
def slice_of(northgate: Scene, earlier: ObservedSlice) -> ObservedSlice:
    """The slice of the release that serves; the gate measured .9."""
    fields = {"prompt_template_ref": OTHER_PROMPT, "previous_release": earlier.observer.release_id}
    second = stable(northgate.registered(**fields)["release_id"])
    serving(second)
    return observed(observer(_read(second)), healthy_mean=0.9)


def _read(release: Release) -> Release:
    return Release.objects.select_related("organization", "application", "route").get(pk=release.pk)


def test_without_windows_the_gates_mean_counts_and_the_rest_is_assumed(slice_of: ObservedSlice, at: datetime) -> None:
    assert history_of(slice_of, at) == ASSUMED


def test_thirty_windows_make_a_history_and_twenty_nine_do_not(slice_of: ObservedSlice, at: datetime) -> None:
    closed(slice_of, steady(29), at - MINUTE)
    assert history_of(slice_of, at) == replace(ASSUMED, windows=29)
    closed(slice_of, [0.8], at)
    known = history_of(slice_of, at)
    assert known.healthy_mean == pytest.approx(0.8)
    assert known.windows == 30
    assert known.spread == pytest.approx(0.2)


def test_correlation_and_change_between_windows_are_learned(slice_of: ObservedSlice, at: datetime) -> None:
    waves = [0.8 + 0.1 * float(np.sin(number / 8)) for number in range(200)]
    closed(slice_of, waves, at)
    known = history_of(slice_of, at)
    assert known.correlation == pytest.approx(0.99, abs=0.02)
    assert known.between == pytest.approx((0.1**2 / 2 - 0.2**2 / 20) ** 0.5, rel=0.25)
    closed(slice_of, steady(300), at - 200 * MINUTE)
    assert history_of(slice_of, at).correlation < known.correlation


def test_windows_below_the_floor_tell_of_no_healthy_slice(slice_of: ObservedSlice, at: datetime) -> None:
    closed(slice_of, steady(40), at - 40 * MINUTE)
    closed(slice_of, steady(40, 0.3), at, verdict="below")
    known = history_of(slice_of, at)
    assert known.healthy_mean == pytest.approx(0.8)
    assert known.windows == 40


def test_windows_with_too_few_answers_for_their_plan_count_where_they_have_ten(
    slice_of: ObservedSlice, at: datetime
) -> None:
    closed(slice_of, steady(40), at, verdict="no_data", n=10)
    assert history_of(slice_of, at).windows == 40
    closed(slice_of, steady(40), at - 40 * MINUTE, verdict="no_data", n=9)
    assert history_of(slice_of, at).windows == 40


def test_what_is_older_than_seven_days_is_forgotten(slice_of: ObservedSlice, at: datetime) -> None:
    closed(slice_of, steady(40), at)
    assert history_of(slice_of, at + timedelta(days=7)) == ASSUMED


def test_windows_of_the_future_are_not_known_yet(slice_of: ObservedSlice, at: datetime) -> None:
    closed(slice_of, steady(40), at)
    assert history_of(slice_of, at - 20 * MINUTE).windows == 20


def test_the_release_before_tells_how_scores_vary_but_not_how_good_they_are(
    earlier: ObservedSlice, slice_of: ObservedSlice, at: datetime
) -> None:
    closed(earlier, steady(60, 0.7), at - 60 * MINUTE)
    closed(slice_of, steady(5), at)
    known = history_of(slice_of, at)
    assert (known.healthy_mean, known.windows) == (0.9, 5)
    assert known.spread == pytest.approx(0.2)


def test_two_releases_of_different_quality_are_not_one_history(
    earlier: ObservedSlice, slice_of: ObservedSlice, at: datetime
) -> None:
    closed(earlier, steady(60, 0.6), at - 60 * MINUTE)
    closed(slice_of, steady(60, 0.9, seed=2), at)
    known = history_of(slice_of, at)
    assert known.healthy_mean == pytest.approx(0.9)
    assert known.windows == 60
    assert known.correlation < 0.4
    assert known.between < 0.03


def test_scores_of_another_judge_are_not_of_this_history(
    earlier: ObservedSlice, slice_of: ObservedSlice, at: datetime
) -> None:
    ObservedSlice.objects.filter(pk=earlier.pk).update(judge_sha256="d" * 64)
    closed(earlier, steady(60, 0.7), at)
    assert history_of(slice_of, at) == ASSUMED


def test_a_release_that_serves_again_keeps_what_was_known_of_it(slice_of: ObservedSlice, at: datetime) -> None:
    closed(slice_of, steady(60), at)
    release = slice_of.observer.release
    slice_of.observer.ended_at = at
    slice_of.observer.save(update_fields=["ended_at"])
    serving(release)
    again = observed(observer(_read(release)), healthy_mean=0.9)
    assert Serving.objects.filter(release=release).count() == 2
    assert history_of(again, at).windows == 60


def test_the_skewness_is_that_of_the_newest_scores_before_a_breach(slice_of: ObservedSlice, at: datetime) -> None:
    closed(slice_of, steady(60), at)
    scored(slice_of, [1.0] * 190 + [0.0] * 10, at)
    assert history_of(slice_of, at).skewness == pytest.approx(-4.13, abs=0.01)
    slice_of.breached_since = at - timedelta(seconds=10)
    assert history_of(slice_of, at).skewness == 0.0


def test_it_takes_four_queries_at_most(
    slice_of: ObservedSlice, at: datetime, django_assert_max_num_queries: Any
) -> None:
    closed(slice_of, steady(60), at)
    with django_assert_max_num_queries(4):
        history_of(slice_of, at)
