"""Which answers are scored: a fixed budget, the same whoever chooses, many people, good answers only."""

from datetime import timedelta
from typing import Any

import pytest

from releases.observer_models import ObservedAnswer, ObservedSlice, Observer
from releases.observing import sampling
from releases.observing.sampling import Budget, sample, share_of
from tests.releases.observing.stage import MINUTE, OTHER, Stage, stage

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("n_min", "needed"), [(10, 12), (14, 17), (17, 20), (80, 20)])
def test_a_minute_gets_what_a_window_needs_with_some_to_spare_and_never_more_than_twenty(
    n_min: int, needed: int
) -> None:
    budget = Budget(0.05, 20, n_min)
    assert budget.needed == budget.by_now(1.0) == budget.by_now(7.0) == needed
    assert [budget.by_now(passed) for passed in (-1.0, 0.0, 0.01)] == [0, 0, 1]


def test_each_slice_has_its_own_budget_for_a_minute() -> None:
    """None; all that there are; as many as a window needs; the most, where 5 % of the traffic are more."""
    requests = {"quiet": 0, "thin": 7, "usual": 60, "busy": 1_000}
    here = stage(slugs=tuple(requests))
    for slug, count in requests.items():
        if count:
            here.traffic(count, here.at, slug=slug)
    sample(here.observer, here.at + MINUTE)
    assert {slug: len(here.answers(slug)) for slug in requests} == {"quiet": 0, "thin": 7, "usual": 12, "busy": 20}


def test_who_chooses_again_chooses_the_same(northgate_stage: Stage) -> None:
    here = northgate_stage
    here.traffic(60, here.at)
    sample(here.observer, here.at + MINUTE)
    chosen = {row.trace_id for row in here.answers()}
    assert sample(here.observer, here.at + MINUTE * 1.5) == 0
    ObservedAnswer.objects.all().delete()
    sample(here.observer, here.at + MINUTE * 2)
    assert {row.trace_id for row in here.answers()} == chosen


def test_answers_are_chosen_as_the_minute_passes(northgate_stage: Stage) -> None:
    here, counts = northgate_stage, []
    for _ in range(6):
        here.send([here.told(here.at + timedelta(seconds=place)) for place in range(10)])
        here.at += timedelta(seconds=10)
        sample(here.observer, here.at)
        counts.append(len(here.answers()))
    assert counts[-1] >= 12
    assert counts[0] < counts[2] < counts[-1]


def test_everybody_comes_before_anybody_comes_twice(northgate_stage: Stage) -> None:
    here = northgate_stage
    Observer.objects.update(settings={**here.observer.settings, "share": 0})
    here.traffic(40, here.at, subject="who asks all day")
    here.traffic(11, here.at)
    sample(here.observer, here.at + MINUTE)
    subjects = [bytes(row.subject or b"") for row in here.answers()]
    assert len(subjects) == len(set(subjects)) == 12


def test_nobodys_flood_is_the_window(northgate_stage: Stage) -> None:
    here = northgate_stage
    times = [here.at + MINUTE * place / 2_000 for place in range(2_000)]
    here.send([here.told(at, subject="who asks all day") for at in times], at=here.at + MINUTE)
    here.traffic(30, here.at)
    sample(here.observer, here.at + MINUTE)
    subjects = [bytes(row.subject or b"") for row in here.answers()]
    assert len(subjects) == len(set(subjects)) == 12


def test_only_good_answers_of_this_release_on_this_route_are_chosen(northgate_stage: Stage) -> None:
    here = northgate_stage
    refused: list[dict[str, Any]] = [
        {"arm": "shadow"},
        {"release": here.before.manifest_sha256},
        {"route": "rte_other"},
        {"error": "upstream_5xx", "status": 502},
        {"status": 400},
        {"slug": OTHER},
        {"input": None, "output": None, "metadata": {}},
    ]
    for wrong in refused:
        here.send([here.told(here.at, **wrong)], at=here.at + MINUTE)
    here.send([here.told(here.at, arm=arm) for arm in ("candidate", None)], at=here.at + MINUTE)
    here.send([here.told(here.at, status=None)], at=here.at + MINUTE)
    assert sample(here.observer, here.at + MINUTE) == 3


def test_what_nobody_looked_at_for_long_is_not_scored_any_more(northgate_stage: Stage) -> None:
    here = northgate_stage
    here.traffic(20, here.at)
    ObservedSlice.objects.update(next_from=here.at)
    assert sample(here.observer, here.at + MINUTE * 30) == 0


def test_a_share_is_even_and_differs_by_observer() -> None:
    shares = [share_of("obs_1", f"{number:032x}") for number in range(2_000)]
    assert 60 < sum(share < 0.05 for share in shares) < 145
    assert share_of("obs_1", "a" * 32) != share_of("obs_2", "a" * 32)


def test_a_transaction_that_stays_open_somewhere_keeps_no_answer_from_being_chosen(
    northgate_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = northgate_stage
    monkeypatch.setattr(sampling, "xact_horizon", lambda: 0)
    here.traffic(60, here.at)
    assert sample(here.observer, here.at + MINUTE) == 12
