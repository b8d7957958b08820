"""`relctl roll --wait` and `relctl status rol_…`: where a rollout stands, what it waits for, how it ended."""

from typing import Any

import pytest

from tests.relctl.conftest import Relctl
from tests.relctl.stage import Reply, Stage, answer

ROLL, LOOK = "POST /v1/releases/rel_1/roll", "GET /v1/rollouts/rol_1"
DWELL = {"key": "dwell", "met": False, "sentence": "The dwell has 7:00 to go.", "eta": "2026-11-21T17:00:00Z"}
ENOUGH = {"key": "requests", "met": True, "sentence": "All 100 requests are there.", "eta": None}


def rollout(state: str = "checkpoint", **members: Any) -> Reply:
    waiting = {"next": "25 %", "eta": None, "halts_at": None, "conditions": [DWELL, ENOUGH]}
    usual = {"rollout_id": "rol_1", "state": state, "checkpoint": 1, "percent": 5.0, "version": 1, "reasons": []}
    return answer(200, {**usual, "waiting_for": waiting, **members})


def followed(stage: Stage, relctl: Relctl, *looks: Reply, flags: tuple[str, ...] = ()) -> Any:
    stage.plays(ROLL, answer(202, {"rollout_id": "rol_1"}))
    stage.plays(LOOK, *looks)
    return relctl("roll", "rel_1", "--wait", *flags)


@pytest.mark.parametrize(("state", "code"), [("completed", 0), ("halted", 1), ("aborted", 1)])
def test_the_exit_code_says_how_it_ended(stage: Stage, relctl: Relctl, state: str, code: int) -> None:
    ran = followed(stage, relctl, rollout(), rollout(state, reasons=["By rule."], waiting_for=None))
    assert (ran.code, ran.out.splitlines()[0]) == (code, f"Rollout rol_1: {state}")
    assert "By rule." in ran.out


def test_what_it_waits_for_is_told_once_and_again_when_that_changes(stage: Stage, relctl: Relctl) -> None:
    second = rollout(checkpoint=2, percent=25.0)
    ran = followed(stage, relctl, rollout(), rollout(), second, second, rollout("completed"))
    lines = [line for line in ran.err.splitlines() if "The dwell has 7:00 to go." in line]
    assert lines == [
        "checkpoint, checkpoint 1 (5.0 %), next 25 %: The dwell has 7:00 to go.",
        "checkpoint, checkpoint 2 (25.0 %), next 25 %: The dwell has 7:00 to go.",
    ]
    assert "requests are there" not in ran.err


@pytest.mark.parametrize("state", ["paused", "waiting_review"])
def test_what_is_still_held_when_the_time_is_up_exits_3(stage: Stage, relctl: Relctl, state: str) -> None:
    ran = followed(stage, relctl, rollout(state), flags=("--timeout", "1"))
    assert (ran.code, ran.pauses) == (3, [])
    assert ran.out.splitlines()[0] == f"Rollout rol_1 is not over: {state.replace('_', ' ')}"
    assert "--timeout SECONDS waits longer" in ran.err


def test_the_status_of_a_rollout_tells_what_is_missing_and_until_when(stage: Stage, relctl: Relctl) -> None:
    stage.plays(
        LOOK, rollout("waiting_review", reasons=["All 3 extensions are used."], halts_at="2026-11-22T16:00:00Z")
    )
    ran = relctl("status", "rol_1")
    told = [line.split(maxsplit=1) for line in ran.out.splitlines()]
    assert (ran.code, ran.out.splitlines()[0]) == (0, "Rollout rol_1")
    assert ["because", "All 3 extensions are used."] in told
    assert ["halts_at", "2026-11-22T16:00:00Z"] in told
    assert "The dwell has 7:00 to go. (2026-11-21T17:00:00Z)" in ran.out
    assert "All 100 requests are there." not in ran.out


def test_an_answer_without_its_numbers_is_told_all_the_same(stage: Stage, relctl: Relctl) -> None:
    ran = followed(
        stage, relctl, answer(200, {"state": "checkpoint", "waiting_for": {"conditions": ["x"]}}), rollout("halted")
    )
    assert ran.code == 1
