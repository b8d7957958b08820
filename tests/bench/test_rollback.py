"""What the bench `rollback` stands on, and what it calls missed: its processes are started by the bench itself."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from gates.rule_judge.definition import DEFAULT
from gates.rule_judge.judging import score
from relcontrol.accounts.actors import command_actor
from relcontrol.bench.chaos_system import System
from relcontrol.bench.chaos_traffic import Outcome
from relcontrol.bench.chaos_upstream import words_of
from relcontrol.bench.rollback_arrivals import Took, _rows
from relcontrol.bench.rollback_detection import FAILURES, HEALTHY, _table
from relcontrol.bench.rollback_stage import FLOOR, Line, serve_left, set_stage
from releases.observing.floors import floor_of
from releases.rolling.rolling_back import default_target, roll_back
from releases.rollout_models import Rollback, Serving

UPSTREAM = "http://127.0.0.1:9/v1"


@pytest.fixture
def lines(db: None) -> list[Line]:
    """Two routes whose releases go wrong, each in its way."""
    _, made = set_stage(UPSTREAM, [(HEALTHY, model) for model in FAILURES])
    return made


def judged(lines: list[Line], outcomes: list[Outcome]) -> Any:
    """The table of an installation that did nothing more."""
    system = SimpleNamespace(stage=SimpleNamespace(organization=lines[0].route.organization))
    return _table(cast("System", system), lines, outcomes, 60)


def test_the_routes_serve_what_goes_wrong_and_have_a_way_back_and_a_floor(lines: list[Line]) -> None:
    for line in lines:
        assert Serving.objects.get(route=line.route, until=None).release_id == line.left.pk
        assert default_target(line.route) == line.kept
        assert floor_of(line.left, "licences").value == pytest.approx(0.85 * FLOOR)


def test_a_route_can_serve_it_again_after_a_rollback(lines: list[Line]) -> None:
    actor = command_actor(lines[0].route.organization)
    for _ in range(2):
        row = roll_back(actor=actor, route=lines[0].route, reason="The bench.")
        assert row.left_id == lines[0].left.pk
        assert serve_left(lines[0]) == row.generation + 1


@pytest.mark.parametrize(("model", "good"), [(HEALTHY, True), *[(model, False) for model in FAILURES]])
def test_the_rules_see_what_its_models_do(model: str, good: bool) -> None:
    found = score(DEFAULT, input_text="May affiliates use the licence?", output="".join(words_of(model)))
    assert found is not None
    assert found.score == float(good)


def test_what_was_not_rolled_back_is_missed_and_named(lines: list[Line]) -> None:
    table = judged(lines, [Outcome(1, 0.0, 0.0, 200, lines[0].left.manifest_sha256[:12], "")])
    assert [(row[0], row[1], row[-1]) for row in table.rows] == [
        ("silent hedging", "1", "missed"),
        ("impossible dates", "0", "missed"),
    ]
    assert len(table.problems) == 3
    assert not Rollback.objects.exists()


def test_the_slowest_decides_whether_a_target_is_met() -> None:
    rows = {row[2]: row for row in _rows("idle", [Took(0.1, 0.1, 2.0), Took(0.2, 0.3, 12.0)])}
    assert [rows[step][-1] for step in ("swapped", "acknowledged", "drained")] == ["met", "missed", "met"]
    assert rows["drained"][3:7] == ("2000.0", "7000.0", "11500.0", "12000.0")
