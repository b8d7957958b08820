"""`relctl gate` without results: relcontrol answers and judges, and relctl tells how far it is and what it costs."""

from pathlib import Path
from typing import Any

import pytest

from tests.relctl.conftest import Relctl
from tests.relctl.stage import Stage, answer
from tests.relctl.test_gate import RUN

GATE, LOOK = "POST /v1/releases/rel_1/gate-runs", "GET /v1/gate-runs/grn_1"
NOTHING = {"calls": 0, "cached": 0, "input_tokens": 0, "output_tokens": 0, "unpriced": 0, "cost": "0"}
ANSWERS = {"calls": 12, "cached": 3, "input_tokens": 900, "output_tokens": 100, "unpriced": 0, "cost": "0.01"}
JUDGED = {"calls": 24, "cached": 0, "input_tokens": 4000, "output_tokens": 400, "unpriced": 2, "cost": "0.02"}


def evaluation(phase: str, done: int, *, judge: dict[str, Any] = NOTHING, **changes: Any) -> dict[str, Any]:
    told = {"phase": phase, "done": done, "of": 15, "spent": {"answers": ANSWERS, "judge": judge}, "stopped": None}
    return {**told, "waits_for": None, "without_previous": None, **changes}


def running(**changes: Any) -> dict[str, Any]:
    return {"gate_run_id": "grn_1", "state": "running", "progress": {"done": 1, "of": 9}, **changes}


def evaluated(stage: Stage, relctl: Relctl, *words: object, looks: tuple[dict[str, Any], ...] = ()) -> Any:
    done = RUN | {"evaluation": evaluation("done", 15, judge=JUDGED, stopped="The budget of 5,000 tokens is used up.")}
    stage.plays(GATE, answer(202, running(evaluation=evaluation("answering", 0) | {"spent": {"answers": NOTHING}})))
    stage.plays(LOOK, *(answer(200, look) for look in looks), answer(200, done))
    return relctl("gate", "rel_1", *words)


def test_without_a_file_relcontrol_is_asked_to_evaluate_and_not_to_hold_its_answer(
    stage: Stage, relctl: Relctl
) -> None:
    ran = evaluated(stage, relctl)
    assert (stage.asked[0].path, stage.asked[0].json) == ("/v1/releases/rel_1/gate-runs?wait=0", {})
    assert ran.code == 1
    assert "relcontrol answers and judges the suite itself." in ran.err


def test_samples_budget_and_the_rest_are_sent(stage: Stage, relctl: Relctl) -> None:
    words = ("--samples", 2, "--concurrency", 16, "--fresh", "--dry-run", "--suite", "qa", "--judge", "llm:rubric@1")
    evaluated(stage, relctl, *words, "--budget-cases", 10, "--budget-tokens", 5000, "--budget-cost", "2.50")
    assert stage.asked[0].json == {
        "samples": 2,
        "concurrency": 16,
        "fresh": True,
        "dry_run": True,
        "suite": "qa",
        "judge": "llm:rubric@1",
        "budget": {"cases": 10, "tokens": 5000, "cost": "2.50"},
    }


def test_the_phase_its_steps_and_what_was_spent_are_told(stage: Stage, relctl: Relctl) -> None:
    looks = (
        running(evaluation=evaluation("answering", 12)),
        running(evaluation=evaluation("scoring", 3, judge=JUDGED)),
    )
    said = evaluated(stage, relctl, looks=looks).err
    assert "gate-runs/grn_1 is running: answering 0 of 15.\n" in said
    cached = "answers 12 calls, 1000 tokens, cost 0.01, 3 from the cache"
    assert f"gate-runs/grn_1 is running: answering 12 of 15 ({cached}).\n" in said
    unpriced = "judge 24 calls, 4400 tokens, cost 0.02 beside 2 calls without a price"
    assert f"gate-runs/grn_1 is running: scoring 3 of 15 ({cached}; {unpriced}).\n" in said


def test_the_run_of_the_previous_release_is_waited_for(stage: Stage, relctl: Relctl) -> None:
    looks = (running(evaluation=evaluation("answering", 0, waits_for="grn_0")),)
    said = evaluated(stage, relctl, looks=looks).err
    assert "gate-runs/grn_1 is running: waits for the run of the previous release, grn_0." in said


def test_the_verdict_comes_with_what_it_cost_and_why_it_stopped(stage: Stage, relctl: Relctl) -> None:
    lines = [" ".join(line.split()) for line in evaluated(stage, relctl).out.splitlines()]
    assert lines[0] == "Gate fail: r128"
    assert "spent on answers 12 calls, 1000 tokens, cost 0.01, 3 from the cache" in lines
    assert "stopped The budget of 5,000 tokens is used up." in lines


def test_what_bounds_calls_is_a_usage_error_beside_results(stage: Stage, relctl: Relctl, tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    file.write_text('{"case_id": "c1", "score": 1}')
    for words in (("--samples", 2), ("--budget-cost", "1")):
        ran = relctl("gate", "rel_1", "--results", file, *words)
        assert (ran.code, stage.asked) == (2, [])
        assert "only without --results" in ran.err


def test_the_server_holds_its_answer_where_that_is_asked_for(stage: Stage, relctl: Relctl) -> None:
    evaluated(stage, relctl, "--wait", 10)
    assert stage.asked[0].path.endswith("?wait=10")


@pytest.mark.parametrize("state", ["queued", "running"])
def test_who_gives_up_waiting_leaves_the_run_going(stage: Stage, relctl: Relctl, state: str) -> None:
    stage.plays(GATE, answer(202, running(state=state, evaluation=evaluation("answering", 2))))
    ran = relctl("gate", "rel_1", "--timeout", "0.5")
    assert ran.code == 1
    assert "The server goes on; the same --idempotency-key takes it up again." in ran.err
