"""`relctl judge`: made of a file, listed, measured against graded answers with the outcome as exit code."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.relctl.conftest import Relctl
from tests.relctl.stage import Stage, answer, problem

JUDGE = {"judge_id": "jdg_1", "name": "llm:rubric@1", "kind": "llm", "scale": [1, 5], "sha256": "ab" * 32}
FILE = {"name": "llm:rubric@1", "endpoint": "primary", "model": "m", "prompt": {"system": "", "user": "{{ answer }}"}}
MEASURE = "POST /v1/judges/llm%3Arubric%401/calibrations"
SLICE = {
    "slice": "ip-licensing",
    "outcome": "pass",
    "rho": 0.6499,
    "threshold": 0.65,
    "n": 84,
    "share_of_ceiling": 0.861,
    "reasons": ["It is 0.65."],
}
DONE: dict[str, Any] = {
    "calibration_id": "cal_1",
    "judge": "llm:rubric@1",
    "judge_sha256": "ab" * 32,
    "suite": "qa",
    "state": "done",
    "progress": {"done": 84, "of": 84},
    "spent": {"calls": 252, "cached": 0, "input_tokens": 9000, "output_tokens": 1000, "unpriced": 0, "cost": "0.4"},
    "injections": {"sentence": "0 of 8 injected answers moved the score."},
    "receipt": "5e" * 32,
    "slices": [SLICE],
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "judge.json"
    file.write_text(json.dumps(FILE))
    return file


def measured(stage: Stage, relctl: Relctl, *slices: dict[str, Any], words: tuple[object, ...] = ()) -> Any:
    stage.plays(MEASURE, answer(201, DONE | {"slices": list(slices)}))
    return relctl("judge", "calibrate", "llm:rubric@1", "--suite", "qa", *words)


@pytest.mark.parametrize(
    ("status", "title"), [(201, "Made: llm:rubric@1"), (200, "Already there, nothing changed: llm:rubric@1")]
)
def test_a_judge_is_made_of_a_file(stage: Stage, relctl: Relctl, file: Path, status: int, title: str) -> None:
    stage.plays("POST /v1/judges", answer(status, JUDGE))
    ran = relctl("judge", "create", file)
    assert stage.asked[0].json == FILE
    assert (ran.code, ran.out.splitlines()[0]) == (0, title)
    assert "scores from 1 to 5" in ran.out


def test_the_name_may_be_given_beside_the_file(stage: Stage, relctl: Relctl, file: Path) -> None:
    stage.plays("POST /v1/judges", answer(201, JUDGE))
    relctl("judge", "create", file, "--name", "llm:rubric@2")
    assert stage.asked[0].json == FILE | {"name": "llm:rubric@2"}


def test_judges_are_listed_page_by_page(stage: Stage, relctl: Relctl) -> None:
    pages: list[dict[str, Any]] = [
        {"results": [JUDGE], "next": "abc"},
        {"results": [JUDGE | {"name": "rules:default@1"}], "next": None},
    ]
    stage.plays("GET /v1/judges", *(answer(200, page) for page in pages))
    ran = relctl("judge", "list")
    assert [asked.path for asked in stage.asked] == [
        "/v1/judges?limit=200&cursor=",
        "/v1/judges?limit=200&cursor=abc",
    ]
    assert ran.out.splitlines()[0] == "Judges: 2"
    assert "rules:default@1" in ran.out


def test_a_calibration_is_waited_for_and_told_slice_by_slice(stage: Stage, relctl: Relctl) -> None:
    running = {"calibration_id": "cal_1", "state": "running", "progress": {"done": 3, "of": 84}, "spent": DONE["spent"]}
    stage.plays(MEASURE, answer(202, running))
    stage.plays("GET /v1/calibrations/cal_1", answer(200, DONE))
    ran = relctl("judge", "calibrate", "llm:rubric@1", "--suite", "qa")
    assert (ran.code, ran.pauses) == (0, [1.0])
    assert "calibrations/cal_1 is running: 3 of 84 (judge 252 calls, 10000 tokens, cost 0.4)." in ran.err
    lines = [" ".join(line.split()) for line in ran.out.splitlines()]
    assert lines[:3] == [
        "llm:rubric@1 may decide 1 of 1 slices",
        "slice ip-licensing pass: ρ 0.6499 of 0.65 (84 answers), 86% of the ceiling",
        "injections 0 of 8 injected answers moved the score.",
    ]


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [(["pass"], 0), (["pass", "review"], 3), (["insufficient"], 3), (["review", "fail"], 1), ([], 3)],
)
def test_the_worst_slice_is_the_exit_code(stage: Stage, relctl: Relctl, outcomes: list[str], code: int) -> None:
    slices = [SLICE | {"slice": f"s{place}", "outcome": each} for place, each in enumerate(outcomes)]
    assert measured(stage, relctl, *slices).code == code


def test_why_a_slice_did_not_pass_is_told(stage: Stage, relctl: Relctl) -> None:
    part = SLICE | {
        "outcome": "insufficient",
        "rho": None,
        "share_of_ceiling": None,
        "reasons": ["One person graded.", "Grade 12 more."],
    }
    ran = measured(stage, relctl, part)
    assert "insufficient: ρ unknown (84 answers). One person graded. Grade 12 more." in ran.out


def test_slices_budget_and_scores_are_sent(stage: Stage, relctl: Relctl, tmp_path: Path) -> None:
    scores = tmp_path / "scores.jsonl"
    scores.write_text('{"case_id": "c1", "answer_id": "a1", "score": 0.5}\n')
    words = ("--slices", "a,b", "--no-rescores", "--scores", scores, "--budget-tokens", 1000)
    measured(stage, relctl, SLICE, words=words)
    assert stage.asked[0].json == {
        "suite": "qa",
        "slices": ["a", "b"],
        "rescores": False,
        "budget": {"tokens": 1000},
        "scores": [{"case_id": "c1", "answer_id": "a1", "score": 0.5}],
    }


def test_a_calibration_that_ended_badly_says_why(stage: Stage, relctl: Relctl) -> None:
    said = {"status": 409, "code": "no_credential", "detail": "Set the variable PRIMARY_KEY."}
    stage.plays(MEASURE, answer(202, {"calibration_id": "cal_1", "state": "queued"}))
    stage.plays("GET /v1/calibrations/cal_1", answer(200, {"state": "error", "problem": said}))
    ran = relctl("judge", "calibrate", "llm:rubric@1", "--suite", "qa")
    assert ran.code == 1
    assert "Set the variable PRIMARY_KEY." in ran.err


def test_a_refusal_names_its_fields(stage: Stage, relctl: Relctl, file: Path) -> None:
    wrong = [{"field": "endpoint", "message": "There is no endpoint primary."}]
    stage.plays("POST /v1/judges", problem(422, "invalid", "It is wrong.", errors=wrong))
    ran = relctl("judge", "create", file)
    assert ran.code == 1
    assert "  endpoint: There is no endpoint primary." in ran.err


@pytest.mark.parametrize("words", [("judge",), ("judge", "calibrate", "x"), ("judge", "create"), ("judge", "delete")])
def test_what_is_missing_is_a_usage_error(stage: Stage, relctl: Relctl, words: tuple[str, ...]) -> None:
    assert (relctl(*words).code, stage.asked) == (2, [])
