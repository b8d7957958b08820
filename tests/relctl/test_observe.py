"""`relctl observe`: whether automatic rollback is armed on a route, how each slice stands, and the exit code of it."""

from typing import Any

import pytest

from tests.relctl.conftest import Relctl
from tests.relctl.stage import Stage, answer, problem

GOOD: dict[str, Any] = {
    "slice": "ip-licensing",
    "armed": True,
    "why": "Armed.",
    "floor": 0.55,
    "streak": 0,
    "last_window": {"mean": 0.79, "n": 18},
}
BELOW = GOOD | {"streak": 2, "last_window": {"mean": 0.44, "n": 18}}
REFUSED = GOOD | {"armed": False, "why": "Not armed: there is no release to go back to.", "last_window": None}


def plays(stage: Stage, *slices: dict[str, Any], watching: bool = True) -> None:
    """The route with these slices."""
    cost = {"calls_per_day": 1200.0, "tokens_per_day": None, "money_per_day": None}
    route = {"route_id": "rte_1", "watching": watching, "cost": cost, "slices": list(slices)}
    stage.plays("GET /v1/routes/rte_1/quality", answer(200, route))


@pytest.mark.parametrize(
    ("slices", "code", "said"),
    [
        ([GOOD], 0, "0.79 of 0.55 over 18 answers; armed"),
        ([GOOD, BELOW], 1, "below its floor for 2 windows in a row, 0.44 of 0.55 over 18 answers; armed"),
        ([REFUSED], 3, "no quality yet; Not armed: there is no release to go back to."),
        ([GOOD | {"floor": None}], 0, "0.79 over 18 answers"),
    ],
)
def test_each_slice_is_told_and_the_worst_decides(
    stage: Stage, relctl: Relctl, slices: list[dict[str, Any]], code: int, said: str
) -> None:
    plays(stage, *slices)
    ran = relctl("observe", "rte_1")
    assert ran.code == code
    assert said in ran.out
    assert "1200.0" in ran.out


def test_what_is_not_watched_is_neither_good_nor_bad(stage: Stage, relctl: Relctl) -> None:
    plays(stage, GOOD, watching=False)
    ran = relctl("observe", "rte_1")
    assert ran.code == 3
    assert ran.out.splitlines()[0] == "Nothing is watched on this route"


def test_an_unknown_route_exits_1(stage: Stage, relctl: Relctl) -> None:
    stage.plays("GET /v1/routes/rte_1/quality", problem(404, "not_found", "There is no route rte_1 here."))
    assert relctl("observe", "rte_1").code == 1
