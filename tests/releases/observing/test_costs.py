"""What scoring served answers costs a day: expected from traffic, budget and judge; and what was really spent."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from gates.judge_making import create_judge
from relcontrol.accounts.models import Endpoint
from relcontrol.clock import now
from relcontrol.model_servers.spending import Spent
from releases.observer_models import ObservedSlice, Observer, ObserverJob
from releases.observing.costs import cost_of, spent_since
from releases.observing.traffic import Traffic, traffic_of
from tests.releases.canary import endpoint, serving
from tests.releases.observing.factory import observed, observer, served
from tests.releases.observing.histories import MINUTE, closed, steady
from tests.releases.observing.stage import stage
from tests.releases.scene import Scene

ASKING = {"user": "Asked was {{ input }} and answered {{ answer }}"}
MODEL = {"endpoint": "main-llm", "model": "judge-1", "prompt": ASKING, "draws": 3, "scale": ["1", "5"]}


@pytest.fixture
def at() -> datetime:
    return now().replace(second=0, microsecond=0)


@pytest.fixture
def watched(northgate: Scene) -> Observer:
    """What watches a serving release; its server takes 2 and 10 millionths for a token read and written."""
    endpoint(northgate.organization)
    Endpoint.objects.update(input_price=Decimal("0.000002"), output_price=Decimal("0.000010"))
    create_judge(actor=northgate.actor, name="llm:legal@1", fields=MODEL)
    return observer(served(northgate))


def _asked(of: Observer, at: datetime, judge: str = "llm:legal@1", **columns: Any) -> ObservedSlice:
    """A slice with 30 requests a minute that this judge scores."""
    row = observed(of, judge=judge, **columns)
    closed(row, steady(60), at)
    return row


def _job(of: Observer, at: datetime, **spent: Any) -> ObserverJob:
    usual: dict[str, Any] = {"calls": 100, "input_tokens": 40_000, "output_tokens": 5_000, "cost": Decimal("0.13")}
    told = Spent(**usual | spent)
    return ObserverJob.objects.create(observer=of, created_at=at, state="done", spent=told.as_json())


def test_a_model_is_asked_for_each_draw_of_each_answer_within_the_budget(watched: Observer, at: datetime) -> None:
    _asked(watched, at)
    _job(watched, at - timedelta(hours=1))
    cost = cost_of(watched, at)
    (per,) = cost.per
    answers = 12 * 1440  # a fifth more than the ten that a window needs, each minute
    assert (per.slice, per.answers_per_day, per.calls_per_day) == ("ip-licensing", answers, 3 * answers)
    assert cost.calls_per_day == per.calls_per_day
    assert cost.tokens_per_day == 3 * answers * 450
    assert cost.money_per_day == 3 * answers * (400 * Decimal("0.000002") + 50 * Decimal("0.000010"))


def test_anchors_are_asked_about_as_well(watched: Observer, at: datetime) -> None:
    _asked(watched, at, rho_floor=0.5525)
    (per,) = cost_of(watched, at).per
    assert per.answers_per_day == 12 * 1440 + 5 * 4 * 24


def test_rules_cost_nothing(watched: Observer, at: datetime) -> None:
    _asked(watched, at, "rules:default@1")
    cost = cost_of(watched, at)
    assert (cost.calls_per_day, cost.tokens_per_day, cost.money_per_day) == (0, 0, Decimal(0))
    assert cost.per[0].answers_per_day == 12 * 1440


def test_a_composition_asks_its_models_only(watched: Observer, northgate: Scene, at: datetime) -> None:
    children = {"children": ["rules:default@1", "llm:legal@1"]}
    create_judge(actor=northgate.actor, name="composition:legal@1", fields=children)
    _asked(watched, at, "composition:legal@1")
    assert cost_of(watched, at).calls_per_day == 3 * 12 * 1440


def test_before_the_first_call_nobody_knows_tokens_and_money(watched: Observer, at: datetime) -> None:
    _asked(watched, at)
    cost = cost_of(watched, at)
    assert (cost.calls_per_day, cost.tokens_per_day, cost.money_per_day) == (3 * 12 * 1440, None, None)
    assert cost.spent == Spent()


def test_until_then_calls_of_other_observers_tell_how_long_answers_are(watched: Observer, at: datetime) -> None:
    _asked(watched, at)
    Observer.objects.filter(pk=watched.pk).update(ended_at=at)
    earlier = Observer.objects.get(pk=watched.pk)
    serving(watched.release)
    later = observer(watched.release)
    _job(earlier, at - timedelta(hours=1))
    _asked(later, at)
    assert cost_of(later, at).tokens_per_day == 3 * 12 * 1440 * 450


def test_without_prices_money_is_not_known(watched: Observer, at: datetime) -> None:
    Endpoint.objects.update(output_price=None)
    _asked(watched, at)
    _job(watched, at)
    cost = cost_of(watched, at)
    assert cost.tokens_per_day is not None
    assert cost.money_per_day is None


def test_slices_add_up_and_one_unknown_makes_the_whole_unknown(watched: Observer, at: datetime) -> None:
    _asked(watched, at)
    _asked(watched, at, "rules:default@1", slug="contract-drafting")
    cost = cost_of(watched, at)
    assert [each.slice for each in cost.per] == ["contract-drafting", "ip-licensing"]
    assert (cost.calls_per_day, cost.money_per_day) == (3 * 12 * 1440, None)
    _job(watched, at)
    assert cost_of(watched, at).money_per_day == cost_of(watched, at).per[1].money_per_day


def test_nothing_is_expected_of_a_slice_without_traffic(watched: Observer, at: datetime) -> None:
    observed(watched, judge="llm:legal@1", rho_floor=0.5525)
    cost = cost_of(watched, at)
    assert (cost.calls_per_day, cost.per[0].answers_per_day) == (0, 0)


def test_what_was_spent_is_that_of_24_hours(watched: Observer, at: datetime) -> None:
    _job(watched, at - timedelta(hours=23), unpriced=4)
    _job(watched, at - timedelta(hours=2), calls=7, cached=2, cost=Decimal("0.000000000001"))
    _job(watched, at - timedelta(hours=25))
    ObserverJob.objects.create(observer=watched, created_at=at, state="done")
    spent = cost_of(watched, at).spent
    assert spent == Spent(107, 2, 80_000, 10_000, Decimal("0.130000000001"), 4)
    assert spent_since(watched, at - timedelta(hours=3)).calls == 7


def test_thousands_of_jobs_take_no_more_queries(
    watched: Observer, at: datetime, django_assert_max_num_queries: Any
) -> None:
    _asked(watched, at)
    ObserverJob.objects.bulk_create(
        ObserverJob(observer=watched, created_at=at, state="done", spent=Spent(calls=1).as_json()) for _ in range(3000)
    )
    with django_assert_max_num_queries(8):
        assert cost_of(watched, at).spent.calls == 3000


@pytest.mark.parametrize(
    ("requests", "most", "minute", "scores"),
    [(30.0, 20, MINUTE, 20.0), (7.5, 20, MINUTE, 7.5), (30.0, 20, MINUTE / 6, 30.0), (600.0, 20, MINUTE / 6, 120.0)],
)
def test_the_budget_is_that_of_a_shortest_window(requests: float, most: int, minute: timedelta, scores: float) -> None:
    assert Traffic(requests).scores_a_minute(most=most, minute=minute) == pytest.approx(scores)
    assert Traffic(requests, 0.5).scores_a_minute(most=most, minute=minute) == pytest.approx(scores / 2)


def test_traffic_is_that_of_the_windows_of_the_last_hour(watched: Observer, at: datetime) -> None:
    row = observed(watched)
    closed(row, steady(60), at - 60 * MINUTE, requests=600)
    closed(row, steady(60), at, requests=12, n=15, asked=20)
    assert traffic_of(watched, at) == {"ip-licensing": Traffic(12.0, 0.75)}


def test_before_there_are_windows_traces_of_the_route_tell(db: None) -> None:
    made = stage(slugs=("ip-licensing", "contract-drafting"), begin=False)
    made.traffic(40, made.at - 5 * MINUTE, release=made.before.manifest_sha256)
    made.traffic(20, made.at - 2 * MINUTE)
    made.traffic(1, made.at - MINUTE, slug="contract-drafting")
    made.traffic(30, made.at - 2 * MINUTE, arm="shadow")
    made.traffic(30, made.at - 20 * MINUTE)
    made.tick()
    found = traffic_of(made.observer, made.at)
    assert found == {"ip-licensing": Traffic(60 / 5), "contract-drafting": Traffic(1 / 5)}
    assert traffic_of(made.observer, made.at, slug="contract-drafting") == {"contract-drafting": Traffic(1 / 5)}
