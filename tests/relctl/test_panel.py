"""`relctl panel`: started of a file or of a gate run, filled, followed, closed."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.relctl.conftest import Relctl
from tests.relctl.stage import Stage, answer

RATERS = [
    {"rater": "prn_1", "name": "Ann", "rated": 3, "skipped": 1, "waiting": 0, "of": 4},
    {"rater": "prn_2", "name": "Bo", "rated": 1, "skipped": 0, "waiting": 3, "of": 4},
]
COUNTS: dict[str, Any] = {"answers": 4, "complete": False, "rated": 4, "skipped": 1, "waiting": 3, "of": 8}
PANEL = {"panel_id": "pan_1", "name": "Check", "state": "open", "suite": "qa", **COUNTS, "raters": RATERS}
ORDER = {"name": "Check", "rubric": "Right?", "source": "suite", "suite": "qa", "raters": ["a@b.c"], "scale": [1, 5]}


def told(ran: Any) -> list[str]:
    return [" ".join(line.split()) for line in ran.out.splitlines()]


def test_a_panel_is_started_of_a_file_with_flags_over_it(stage: Stage, relctl: Relctl, tmp_path: Path) -> None:
    stage.plays("POST /v1/panels", answer(201, PANEL))
    file = tmp_path / "panel.json"
    file.write_text(json.dumps(ORDER))
    ran = relctl("panel", "create", file, "--raters", "x@b.c,y@b.c", "--count", 40)
    assert stage.asked[0].json == ORDER | {"raters": ["x@b.c", "y@b.c"], "count": 40}
    assert (ran.code, told(ran)[0]) == (0, "Started: pan_1")
    assert "rater Ann 3 graded, 1 skipped of 4" in told(ran)


def test_answers_of_a_gate_run_are_given_to_raters(stage: Stage, relctl: Relctl) -> None:
    stage.plays("POST /v1/panels", answer(201, PANEL))
    words = ("--name", "Check", "--rubric", "Right?", "--raters", "a@b.c", "--raters-per-answer", 1, "--slices", "a,b")
    assert relctl("panel", "have-graded", "grn_1", *words).code == 0
    assert stage.asked[0].json == {
        "source": "run",
        "run": "grn_1",
        "name": "Check",
        "rubric": "Right?",
        "raters": ["a@b.c"],
        "raters_per_answer": 1,
        "slices": ["a", "b"],
        "scale": [1.0, 5.0],
    }


def test_panels_are_listed(stage: Stage, relctl: Relctl) -> None:
    stage.plays("GET /v1/panels", answer(200, {"results": [PANEL], "next": None}))
    ran = relctl("panel", "list", "--json")
    assert json.loads(ran.out) == {"results": [PANEL]}
    stage.plays("GET /v1/panels", answer(200, {"results": [PANEL], "next": None}))
    assert told(relctl("panel", "list")) == ["Panels: 1", "pan_1 open: Check"]


@pytest.mark.parametrize(("complete", "code"), [(True, 0), (False, 3)])
def test_progress_is_told_per_rater_and_is_the_exit_code(
    stage: Stage, relctl: Relctl, complete: bool, code: int
) -> None:
    stage.plays("GET /v1/panels/pan_1/progress", answer(200, COUNTS | {"raters": RATERS, "complete": complete}))
    ran = relctl("panel", "progress", "pan_1")
    assert ran.code == code
    assert told(ran)[0] == "4 of 8 grades are in"
    assert "rater Bo 1 graded, 0 skipped of 4" in told(ran)


@pytest.mark.parametrize(("name", "media"), [("g.csv", "text/csv"), ("g.jsonl", "application/x-ndjson")])
def test_a_file_of_grades_goes_as_it_is(stage: Stage, relctl: Relctl, tmp_path: Path, name: str, media: str) -> None:
    stage.plays("POST /v1/panels/pan_1/import", answer(201, {"panel_id": "pan_1", "added": 3, "known": 1, "raters": 2}))
    (tmp_path / name).write_bytes(b"case_id,answer_id,rater,grade\nc,a,r,5\n")
    ran = relctl("panel", "import", "pan_1", tmp_path / name)
    assert stage.asked[0].body == b"case_id,answer_id,rater,grade\nc,a,r,5\n"
    assert stage.asked[0].headers["Content-Type"] == media
    assert (ran.code, told(ran)[0]) == (0, "3 grades are in")


def test_a_panel_is_closed_although_grades_are_missing_only_where_that_is_said(stage: Stage, relctl: Relctl) -> None:
    stage.plays("POST /v1/panels/pan_1/close", answer(200, PANEL | {"state": "closed"}))
    assert told(relctl("panel", "close", "pan_1"))[0] == "Closed: pan_1"
    relctl("panel", "close", "pan_1", "--anyway")
    assert [asked.json for asked in stage.asked] == [{}, {"anyway": True}]


@pytest.mark.parametrize(
    "words", [("panel",), ("panel", "close"), ("panel", "have-graded", "grn_1"), ("panel", "rate")]
)
def test_what_is_missing_is_a_usage_error(stage: Stage, relctl: Relctl, words: tuple[str, ...]) -> None:
    assert (relctl(*words).code, stage.asked) == (2, [])
