"""The observe bench: what its tables say, and that it asks for every kind of look-up."""

from typing import Any

import pytest
from django.test import Client
from django.urls import resolve

from relcontrol.accounts.models import Organization
from relcontrol.bench import observe
from relcontrol.bench.observe_stage import Ground, user
from relcontrol.bench.visits import Visit
from relcontrol.clock import now
from tests.releases.scene import Scene, scene


@pytest.fixture
def ground(db: None) -> Ground:
    """A small one: a route, a moment, a request."""
    made: Scene = scene()
    route = made.application.routes.get()
    rows = [{"request_id": "req-1", "trace_id": "1" * 32, "subject": user(0)}]
    return Ground(made.organization, [route], [(route, now())], rows)


def visit(seconds: float, status: int = 200) -> Visit:
    return Visit(status, seconds, seconds / 2, [("SELECT 1", 0.0)])


def test_a_row_has_median_p95_worst_and_whether_the_limit_is_met() -> None:
    series = observe.Series("one", [visit(number / 1000) for number in range(1, 101)])
    assert observe._row(series) == ("one", "100", "50.5", "95.0", "100.0", "25.2", "1", "≤ 100", "met")
    slow = observe.Series("two", [visit(0.2)])
    assert observe._row(slow)[-1] == "missed"


def test_what_was_refused_is_named() -> None:
    assert observe.Series("one", [visit(0.1), visit(0.1, 404)]).refused == [404]


def test_every_look_up_is_an_address_of_the_product(ground: Ground) -> None:
    paths = {name: path(ground) for name, path, _ in observe._look_ups(ground)}
    assert {resolve(path.partition("?")[0]).url_name for path in paths.values()} >= {
        "api-lineage",
        "api-lineages",
        "api-route-serving",
        "lineage",
        "lineage-request",
        "trace",
        "route",
    }


def test_a_step_counts_its_statements(db: None) -> None:
    cost = observe.Cost("one")
    cost.took(Organization.objects.count)
    cost.took(lambda: None)
    assert (cost.looks, len(cost.statements)) == (2, 1)


def test_visits_are_timed_after_a_few_that_warm_up(ground: Ground) -> None:
    asked: list[Any] = []

    def path(_: Ground) -> str:
        asked.append(1)
        return "/robots.txt"

    series = observe._measured("one", Client(), path, ground, 4)
    assert (len(series.visits), len(asked)) == (4, 4 + observe.WARM_UP)
    assert series.refused == []
