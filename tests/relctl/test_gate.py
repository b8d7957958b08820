"""`relctl gate`: results go as they are, the verdict is waited for and told, and it is the exit code."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.relctl.conftest import Relctl
from tests.relctl.stage import Reply, Stage, answer, problem

JUDGE_PATH = "POST /v1/releases/rel_1/gate-runs"
ROWS = [{"case_id": "c1", "output": "é", "score": 0.5}, {"case_id": "c2", "output": "No.", "score": None}]
SLICE: dict[str, Any] = {
    "slice": "ip-licensing",
    "verdict": "fail",
    "agreement": {"n": 84, "rho": 0.6499, "threshold": 0.65, "verdict": "fail"},
    "quality": {"mean": 0.7, "floor": None, "verdict": "insufficient"},
    "change": {"mean_difference": -0.02, "verdict": "review"},
}
RUN: dict[str, Any] = {
    "gate_run_id": "grn_1",
    "gate_run_sha256": "5e" * 32,
    "state": "done",
    "release": "r128",
    "verdict": "gate_fail",
    "reasons": ["IP licensing: Agreement: too low.", "Parity is not claimed."],
    "slices": [SLICE, {"slice": "new", "verdict": "insufficient", "agreement": None, "quality": None, "change": None}],
    "dry_run": False,
}
JUDGED = "fail: agreement 0.6499 of 0.65 (84 answers) fail, quality 0.70 insufficient, change -0.02 review"
QUEUED = {"gate_run_id": "grn_1", "state": "queued", "progress": {"done": 0, "of": 2}}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "results.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in ROWS) + "\n\n")
    return file


def verdict(stage: Stage, **changes: Any) -> None:
    stage.plays(JUDGE_PATH, answer(200, RUN | changes))


@pytest.mark.parametrize(("word", "code"), [("gate_pass", 0), ("gate_fail", 1), ("gate_hold", 3), ("else", 3)])
def test_the_verdict_is_the_exit_code(stage: Stage, relctl: Relctl, file: Path, word: str, code: int) -> None:
    verdict(stage, verdict=word)
    assert relctl("gate", "rel_1", "--results", file).code == code


def test_verdict_reasons_and_slices_are_told(stage: Stage, relctl: Relctl, file: Path) -> None:
    verdict(stage)
    ran = relctl("gate", "rel_1", "--results", file)
    assert [" ".join(line.split()) for line in ran.out.splitlines()] == [
        "Gate fail: r128",
        "reason IP licensing: Agreement: too low.",
        "reason Parity is not claimed.",
        f"slice ip-licensing {JUDGED}",
        "slice new insufficient: no results",
        "gate_run_id grn_1",
        f"gate_run_sha256 {'5e' * 32}",
    ]


def test_a_dry_run_is_told_as_one(stage: Stage, relctl: Relctl, file: Path) -> None:
    verdict(stage, dry_run=True, verdict="gate_pass")
    ran = relctl("gate", "rel_1", "--results", file, "--dry-run")
    assert ran.out.startswith("Gate pass: r128, a dry run without effect\n")
    assert stage.asked[0].json["dry_run"] is True


def test_every_flag_becomes_its_field(stage: Stage, relctl: Relctl, file: Path) -> None:
    verdict(stage)
    flags = "--suite qa-v3 --judge external:j@9 --scale=-1,1 --grade-scale 1,5 --parity ab --branch main --commit 3f"
    relctl("gate", "rel_1", "--results", file, *flags.split(), "--feature-snapshot", "fs", "--idempotency-key", "b7")
    asked = stage.asked[0]
    assert asked.headers["Idempotency-Key"] == "b7"
    assert asked.json == {
        "suite": "qa-v3",
        "judge": "external:j@9",
        "scale": [-1.0, 1.0],
        "grade_scale": [1.0, 5.0],
        "parity": "ab",
        "branch": "main",
        "commit": "3f",
        "feature_snapshot": "fs",
        "results": ROWS,
    }


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (json.dumps(ROWS), ROWS),
        (json.dumps(ROWS, indent=2), ROWS),
        (json.dumps(ROWS[0]), ROWS[:1]),
        ("\ufeff" + "\r\n".join(map(json.dumps, ROWS)), ROWS),
        (json.dumps({"results": ROWS, "judge": "mine"}), ROWS),
    ],
)
def test_a_file_may_hold_lines_a_list_or_the_whole_request(
    stage: Stage, relctl: Relctl, file: Path, text: str, rows: list[Any]
) -> None:
    verdict(stage)
    file.write_text(text)
    relctl("gate", "rel_1", "--results", file)
    assert stage.asked[0].json["results"] == rows


def test_flags_go_over_the_file(stage: Stage, relctl: Relctl, file: Path) -> None:
    verdict(stage)
    file.write_text(json.dumps({"results": ROWS, "judge": "mine", "branch": "main"}))
    relctl("gate", "rel_1", "--results", file, "--judge", "other")
    assert stage.asked[0].json == {"results": ROWS, "judge": "other", "branch": "main"}


@pytest.mark.parametrize(
    ("text", "said"), [('{"case_id": 1}\n{broken', "line 2"), ("", "holds no results"), ("[]", "holds no results")]
)
def test_a_file_without_results_is_a_usage_error(
    stage: Stage, relctl: Relctl, file: Path, text: str, said: str
) -> None:
    file.write_text(text)
    ran = relctl("gate", "rel_1", "--results", file)
    assert (ran.code, stage.asked) == (2, [])
    assert said in ran.err


@pytest.mark.parametrize("text", ["1", "1,2,3", "low,high"])
def test_a_scale_that_is_none_is_a_usage_error(stage: Stage, relctl: Relctl, file: Path, text: str) -> None:
    ran = relctl("gate", "rel_1", "--results", file, "--scale", text)
    assert (ran.code, stage.asked) == (2, [])
    assert "--scale" in ran.err


def test_a_run_in_the_background_is_waited_for_with_its_progress(stage: Stage, relctl: Relctl, file: Path) -> None:
    running = QUEUED | {"state": "running", "progress": {"done": 1, "of": 2}}
    stage.plays(JUDGE_PATH, answer(202, QUEUED))
    stage.plays("GET /v1/gate-runs/grn_1", answer(200, running), answer(200, RUN))
    ran = relctl("gate", "rel_1", "--results", file)
    assert (ran.code, ran.pauses) == (1, [1.0, 1.0])
    assert "Sending 2 results to be judged." in ran.err
    assert "gate-runs/grn_1 is running: 1 of 2." in ran.err


@pytest.mark.parametrize(
    ("words", "wait"), [([], 30), (["--wait", 0], 0), (["--wait", 99], 30), (["--timeout", 5], 4), (["--wait", -3], 0)]
)
def test_the_server_holds_its_answer_within_the_time_limit(
    stage: Stage, relctl: Relctl, file: Path, words: list[object], wait: int
) -> None:
    verdict(stage)
    relctl("gate", "rel_1", "--results", file, *words)
    assert stage.asked[0].path.endswith(f"?wait={wait}")


def test_a_refusal_tells_every_row_and_what_has_decided(stage: Stage, relctl: Relctl, file: Path) -> None:
    wrong = [{"field": "results[1].score", "message": "2 lies outside 0 to 1."}]
    stage.plays(JUDGE_PATH, problem(409, "already_judged", "It was.", errors=wrong, state={"gate_run_id": "grn_0"}))
    ran = relctl("gate", "rel_1", "--results", file)
    assert ran.code == 1
    assert ran.err.splitlines()[-2:] == ["  results[1].score: 2 lies outside 0 to 1.", "  now gate_run_id: grn_0"]


def test_a_cancelled_run_is_no_pass(stage: Stage, relctl: Relctl, file: Path) -> None:
    stage.plays(JUDGE_PATH, answer(200, RUN | {"state": "cancelled"}))
    ran = relctl("gate", "rel_1", "--results", file)
    assert ran.code == 1
    assert "ended in state cancelled" in ran.err


def test_scorecards_are_written_where_they_are_asked_for(
    stage: Stage, relctl: Relctl, file: Path, tmp_path: Path
) -> None:
    verdict(stage)
    stage.plays("GET /v1/gate-runs/grn_1.md", Reply(200, "## ❌".encode()))
    stage.plays("GET /v1/gate-runs/grn_1.xml", Reply(200, b"<testsuite/>"))
    ran = relctl("gate", "rel_1", "--results", file, "--markdown", tmp_path / "m", "--junit", tmp_path / "x")
    assert ran.code == 1
    assert (tmp_path / "m").read_bytes() == "## ❌".encode()
    assert (tmp_path / "x").read_bytes() == b"<testsuite/>"


def test_a_scorecard_that_cannot_be_had_is_no_pass(stage: Stage, relctl: Relctl, file: Path, tmp_path: Path) -> None:
    verdict(stage, verdict="gate_pass")
    ran = relctl("gate", "rel_1", "--results", file, "--junit", tmp_path / "x")
    assert ran.code == 1
    assert "Gate pass: r128. But its scorecard could not be had: There is nothing here." in ran.err
    assert not (tmp_path / "x").exists()


def test_the_scorecard_is_the_summary_page(
    stage: Stage, relctl: Relctl, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    verdict(stage)
    stage.plays("GET /v1/gate-runs/grn_1.md", Reply(200, "## ❌ Fail\n".encode()))
    relctl("gate", "rel_1", "--results", file)
    assert (tmp_path / "summary.md").read_text() == "## ❌ Fail\n"


def test_without_a_scorecard_the_summary_page_tells_the_result(
    stage: Stage, relctl: Relctl, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    verdict(stage, verdict="gate_pass")
    ran = relctl("gate", "rel_1", "--results", file)
    assert ran.code == 0
    assert "Warning: Gate pass: r128. But its scorecard could not be had" in ran.err
    assert "```text\nGate pass: r128\n" in (tmp_path / "summary.md").read_text()
