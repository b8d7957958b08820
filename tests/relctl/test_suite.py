"""`relctl suite`: the file goes as it is, every wrong row comes back, a long import is waited for."""

from pathlib import Path

import pytest

from tests.relctl.conftest import Relctl
from tests.relctl.stage import Stage, answer, problem

SUITE = {
    "suite_id": "sui_01jd",
    "name": "qa-v3",
    "sha256": "sha256:6c",
    "dataset_version": "qa-v3",
    "cases": 3,
    "slices": {"ip-licensing": 2, "contract-drafting": 1},
    "graded_answers": 7,
}
LINES = b'{"case_id": "c1", "slice": "ip-licensing", "input": "\xc3\xa9"}\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "qa.jsonl"
    file.write_bytes(LINES)
    return file


def test_the_file_is_sent_byte_by_byte_with_its_name_and_scale(stage: Stage, relctl: Relctl, file: Path) -> None:
    stage.plays("POST /v1/suites", answer(201, SUITE))
    assert relctl("suite", file, "--name", "qa v3&x", "--grade-scale", "1,5").code == 0
    asked = stage.asked[0]
    assert asked.path == "/v1/suites?name=qa+v3%26x&grade_scale=1%2C5"
    assert asked.body == LINES
    assert asked.headers["Idempotency-Key"]


@pytest.mark.parametrize(
    ("name", "words", "media"),
    [
        ("a.jsonl", [], "application/x-ndjson"),
        ("a.CSV", [], "text/csv"),
        ("a.yml", [], "application/yaml"),
        ("a.yaml", [], "application/yaml"),
        ("a.txt", ["--format", "csv"], "text/csv"),
        ("a.txt", [], "application/x-ndjson"),
    ],
)
def test_the_format_is_told_by_the_flag_or_the_name(
    stage: Stage, relctl: Relctl, tmp_path: Path, name: str, words: list[str], media: str
) -> None:
    stage.plays("POST /v1/suites", answer(201, SUITE))
    (tmp_path / name).write_bytes(b"x")
    relctl("suite", tmp_path / name, "--name", "n", *words)
    assert stage.asked[0].headers["Content-Type"] == media


def test_the_counts_are_told(stage: Stage, relctl: Relctl, file: Path) -> None:
    stage.plays("POST /v1/suites", answer(200, SUITE))
    lines = [line.split() for line in relctl("suite", file, "--name", "qa-v3").out.splitlines()]
    assert lines[-4:] == [
        ["cases", "3"],
        ["graded_answers", "7"],
        ["slice", "ip-licensing", "2"],
        ["slice", "contract-drafting", "1"],
    ]


def test_every_wrong_row_is_told(stage: Stage, relctl: Relctl, file: Path) -> None:
    rows = [{"field": f"row {number}", "message": "Unknown slice."} for number in range(1, 301)]
    stage.plays("POST /v1/suites", problem(422, "invalid", "300 rows are wrong.", errors=rows))
    ran = relctl("suite", file, "--name", "qa-v3")
    assert ran.code == 1
    assert ran.err.splitlines()[1:] == [f"  row {number}: Unknown slice." for number in range(1, 301)]


def test_an_import_in_the_background_is_waited_for(stage: Stage, relctl: Relctl, file: Path) -> None:
    queued = {"import_id": "imp_1", "state": "queued", "progress": {"done": 0, "of": 9}, "suite_id": None}
    running = queued | {"state": "running", "progress": {"done": 4, "of": 9}}
    stage.plays("POST /v1/suites", answer(202, queued))
    stage.plays("GET /v1/suite-imports/imp_1", answer(200, running), answer(200, SUITE | {"state": "done"}))
    ran = relctl("suite", file, "--name", "qa-v3")
    assert (ran.code, ran.pauses) == (0, [1.0, 1.0])
    assert "suite-imports/imp_1 is running: 4 of 9." in ran.err
    assert "sui_01jd" in ran.out


def test_an_import_that_fails_in_the_background_tells_its_rows(stage: Stage, relctl: Relctl, file: Path) -> None:
    wrong = {
        "status": 422,
        "code": "invalid",
        "detail": "A row is wrong.",
        "errors": [{"field": "row 9", "message": "Bad."}],
    }
    stage.plays("POST /v1/suites", answer(202, {"import_id": "imp_1", "state": "queued"}))
    stage.plays("GET /v1/suite-imports/imp_1", answer(200, {"state": "error", "problem": wrong}))
    ran = relctl("suite", file, "--name", "qa-v3")
    assert ran.code == 1
    assert ran.err.splitlines()[-2:] == ["relctl: A row is wrong. (code invalid, status 422)", "  row 9: Bad."]
