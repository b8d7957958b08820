"""Which answers were the worst: the worst slice first, then what failed, then what people disliked."""

from datetime import datetime, timedelta

import pytest

from relcontrol.clock import now
from releases.measuring.feedback import record
from releases.observer_models import DriftAlarm, WorstAnswers
from releases.rollout_models import ReplayPair
from releases.worst.choosing import order_worst
from releases.worst.finding import MOST, Found, find, spread
from tests.releases.observing.factory import alarm
from tests.releases.replays.stage import SLICE, stage
from tests.releases.worst.stage import halted, watched

pytestmark = pytest.mark.django_db
AT = datetime.fromisoformat("2026-11-21T12:00:00+00:00")


def some(slug: str, *measures: float) -> list[Found]:
    return [
        Found(slug, f"req-{slug}-{number}", f"{number:032x}", AT, b"s" * 16, measure)
        for number, measure in enumerate(measures)
    ]


def test_the_worst_slice_gives_half_of_the_places_and_the_next_one_half_of_the_rest() -> None:
    bad, poor, fine = some("bad", *[-0.9] * 9), some("poor", *[-0.5] * 9), some("fine", *[-0.1] * 9)
    chosen = [each.slice for each in spread([*fine, *bad, *poor], 10)]
    assert chosen[:9] == ["bad"] * 5 + ["poor"] * 3 + ["fine"]
    assert len(chosen) == 10


def test_in_each_slice_the_worst_come_first_and_one_slice_takes_all_places_alone() -> None:
    chosen = spread(some("bad", -0.1, -0.9, -0.5), 10)
    assert [each.measure for each in chosen] == [-0.9, -0.5, -0.1]
    assert len(spread(some("bad", *[-0.2] * 30), 10)) == 10
    assert spread([], 10) == []


def test_of_a_halt_they_are_the_pairs_in_which_the_candidate_fell_behind_most() -> None:
    at = stage()
    drops = (0.75, 0.25, 0.5)
    for _ in drops:
        at.served("candidate")
    at.choose()
    for pair, drop in zip(at.pairs(), drops, strict=True):
        ReplayPair.objects.filter(pk=pair.pk).update(state="scored", stable_score=1, candidate_score=1 - drop)
    found = find(halted(at))
    assert [(each.measure, each.score_before, each.score_after) for each in found] == [
        (-0.75, 1.0, 0.25),
        (-0.5, 1.0, 0.5),
        (-0.25, 1.0, 0.75),
    ]


def test_where_no_pair_fell_behind_they_are_the_requests_that_failed() -> None:
    at = stage()
    at.served("candidate")
    failed = at.served("candidate", status=504, error="timeout", output=None)
    at.served("candidate", error="client_gone", output=None)
    at.served("stable", status=504, error="timeout", output=None)
    assert [each.request_id for each in find(halted(at))] == [failed["request_id"]]


def test_then_those_that_people_disliked() -> None:
    at = stage()
    disliked, liked = at.served("candidate"), at.served("candidate")
    for told, value in ((disliked, -1), (liked, 1)):
        record(actor=at.scene.actor, request_id=told["request_id"], kind="thumb", value=value)
    assert [each.request_id for each in find(halted(at))] == [disliked["request_id"]]


def test_of_a_rollback_they_are_the_lowest_scores_of_the_breached_slice_then_of_the_others() -> None:
    here = watched()
    wanted = [here.scored(score) for score in (0.1, 0.3)]
    others = here.scored(0.0, "contract-drafting")
    old = here.scored(0.05, started_at=(now() - timedelta(minutes=30)).isoformat())
    job = here.rolled_back()
    assert [each.request_id for each in find(job)] == [row.request_id for row in (*wanted, others, old)]


def test_there_are_ten_at_most_and_no_answer_twice() -> None:
    here = watched()
    for number in range(MOST + 4):
        here.scored(number / 100)
    found = find(here.rolled_back())
    assert len({each.trace_id for each in found}) == len(found) == MOST
    assert [each.score_after for each in found] == [number / 100 for number in range(MOST)]


def test_of_an_alarm_they_are_those_of_its_slice() -> None:
    here = watched()
    here.scored(0.0, "contract-drafting")
    lowest = here.scored(0.7)
    order_worst("drift", alarm=alarm(here.observer, SLICE))
    job = WorstAnswers.objects.get(alarm=DriftAlarm.objects.get())
    assert job.kept_id == here.observer.release.previous_release_id
    assert find(job)[0].request_id == lowest.request_id


def test_a_persons_rollback_takes_what_the_observer_had_scored() -> None:
    here = watched()
    answer = here.scored(0.2)
    job = here.rolled_back(trigger="person", observer=None, facts={}, triggered_at=None)
    assert [each.request_id for each in find(job)] == [answer.request_id]


def test_an_event_is_ordered_once() -> None:
    here = watched()
    job = here.rolled_back()
    assert job.rollback is not None
    order_worst("rollback", rollback=job.rollback)
    assert WorstAnswers.objects.count() == 1
    assert job.event_receipt == job.rollback.receipt_hash
