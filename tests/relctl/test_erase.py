"""`relctl erase`: whom comes from a file or stdin and is told to the server alone."""

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.relctl.conftest import Relctl
from tests.relctl.stage import Stage, answer, problem

ERASED = {
    "erasure_id": "ers_01jd",
    "subject_digest": "3f" * 16,
    "reason": "By letter.",
    "gone": {"keys": 1, "traces": 3, "panel_answers": 0},
    "erased_by": "Ada",
    "erased_at": "2026-11-22T03:00:00Z",
    "receipt": "ab" * 32,
}
CALL = "POST /v1/subjects/erase"


@pytest.fixture
def erasing(stage: Stage) -> Stage:
    stage.plays(CALL, answer(200, ERASED))
    return stage


def test_whom_a_file_names_is_erased_and_not_told_again(erasing: Stage, relctl: Relctl, tmp_path: Path) -> None:
    whom = tmp_path / "whom.txt"
    whom.write_text("jane.doe \n")
    ran = relctl("erase", "--subject-file", whom, "--reason", "By letter.")
    assert ran.code == 0
    assert json.loads(erasing.asked[0].body) == {"subject": "jane.doe ", "reason": "By letter."}
    assert [line.split() for line in ran.out.splitlines()][:4] == [
        ["Erased:", "ers_01jd"],
        ["keys", "1"],
        ["traces", "3"],
        ["panel", "answers", "0"],
    ]
    assert "jane.doe" not in ran.out + ran.err


def test_whom_may_come_from_stdin(erasing: Stage, relctl: Relctl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO("Jané".encode())))
    assert relctl("erase", "--subject-file", "-", "--reason", "By letter.").code == 0
    assert json.loads(erasing.asked[0].body)["subject"] == "Jané"


def test_a_request_says_whom(erasing: Stage, relctl: Relctl) -> None:
    assert relctl("erase", "--request", "req-1", "--reason", "By letter.").code == 0
    assert json.loads(erasing.asked[0].body) == {"request_id": "req-1", "reason": "By letter."}


@pytest.mark.parametrize("words", [[], ["--request", "r", "--subject-file", "whom.txt"]])
def test_whom_is_said_in_one_way(erasing: Stage, relctl: Relctl, words: list[str]) -> None:
    assert relctl("erase", *words, "--reason", "By letter.").code == 2
    assert erasing.asked == []


def test_somebody_who_was_never_seen_exits_1(stage: Stage, relctl: Relctl) -> None:
    stage.plays(CALL, problem(404, "not_found", "No request of this subject is known here."))
    ran = relctl("erase", "--request", "req-1", "--reason", "By letter.")
    assert ran.code == 1
    assert "No request of this subject is known here." in ran.err
