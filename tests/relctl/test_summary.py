"""The build's summary page: the result or what is wrong, as text that cannot act."""

from pathlib import Path

import pytest

from tests.relctl.conftest import Relctl
from tests.relctl.stage import Stage, answer, problem

STATUS = {"release_id": "rel_1", "standing": "pass", "delivery": "registered", "deployable": True}


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, relctl: Relctl, tmp_path: Path) -> Path:
    page = tmp_path / "summary.md"
    page.write_text("Before.\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    return page


def test_a_result_is_appended(stage: Stage, relctl: Relctl, page: Path) -> None:
    stage.plays("GET /v1/releases/rel_1", answer(200, STATUS))
    relctl("status", "rel_1")
    text = page.read_text()
    assert text.startswith("Before.\n### relctl status\n\n```text\nRelease rel_1\n")
    assert "deployable         yes\n" in text


def test_the_summary_is_for_people_where_stdout_is_json(stage: Stage, relctl: Relctl, page: Path) -> None:
    stage.plays("GET /v1/releases/rel_1", answer(200, STATUS))
    relctl("status", "rel_1", "--json")
    assert "Release rel_1\n" in page.read_text()


def test_a_refusal_is_appended(stage: Stage, relctl: Relctl, page: Path) -> None:
    wrong = [{"field": "row 2", "message": "Bad."}]
    stage.plays("GET /v1/releases/rel_1", problem(422, "invalid", "It is wrong.", errors=wrong))
    relctl("status", "rel_1")
    assert "It is wrong. (code invalid, status 422, request_id req_7)\n  row 2: Bad.\n" in page.read_text()


def test_nothing_in_an_answer_leaves_the_fence(stage: Stage, relctl: Relctl, page: Path) -> None:
    stage.plays("GET /v1/releases/rel_1", answer(200, STATUS | {"why_not": ["```\n# Passed <img src=x>"]}))
    relctl("status", "rel_1")
    assert page.read_text().count("```") == 2


def test_a_page_that_cannot_be_written_does_not_fail_the_command(
    stage: Stage, relctl: Relctl, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "missing" / "summary.md"))
    stage.plays("GET /v1/releases/rel_1", answer(200, STATUS))
    ran = relctl("status", "rel_1")
    assert ran.code == 0
    assert "summary could not be written" in ran.err
