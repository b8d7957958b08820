"""The demo's judge: measured once the demo models answer, then set to judge a release; each once."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from scipy.stats import spearmanr

from gates.judge_models import CalibrationRun
from gates.models import Judge
from gates.run_models import GateRun
from relcontrol.demo import making as demo
from relcontrol.demo import measuring
from relcontrol.demo.connecting import ENVIRONMENT
from relcontrol.demo.graded import LEVELS, SLICES, UNSEEN, graded_answers
from relcontrol.demo.measuring import models_at, next_measure
from relcontrol.demo_models.judging import opinion_of
from tests import factories

WAITING = "waiting for the demo models"


@pytest.fixture
def here(db: None, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The demo without its gate runs; the list is what its model server has."""
    settings.DATA_DIR = tmp_path
    for name in ("make_decisions", "make_panels"):
        monkeypatch.setattr(demo, name, lambda *_args, **_kwargs: None)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    demo.ensure("http://127.0.0.1:8003/v1")
    models = ["demo-healthy", "demo-judge"]
    monkeypatch.setattr(measuring, "models_at", lambda _: models)
    return models


def test_the_judge_is_measured_once_the_models_answer(here: list[str]) -> None:
    here.clear()
    assert next_measure() == WAITING
    assert not CalibrationRun.objects.exists()
    here.append("demo-judge")
    assert (next_measure() or "").startswith("measuring llm:legal-rubric@1 against the experts' grades (cal_")
    run = CalibrationRun.objects.get()
    assert (run.progress_of, {each["slug"] for each in run.order["slices"]}) == (160, set(SLICES))
    assert next_measure() == "waiting for the calibration of llm:legal-rubric@1"
    assert CalibrationRun.objects.count() == 1


def test_then_it_judges_the_release_of_the_contract_desk_once(here: list[str]) -> None:
    next_measure()
    CalibrationRun.objects.update(state="done")
    assert (next_measure() or "").startswith("answering and judging the suite of the contract desk (grn_")
    run = GateRun.objects.get()
    assert (run.application.slug, run.progress_of) == ("contract-desk", 48)
    assert next_measure() is None


def test_what_stands_against_it_is_said(here: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    next_measure()
    CalibrationRun.objects.update(state="done")
    for name in ENVIRONMENT:
        monkeypatch.delenv(name)
    assert "of the contract desk cannot be evaluated yet: " in (next_measure() or "")


def test_a_demo_of_an_earlier_version_is_left_as_it_is(here: list[str]) -> None:
    Judge.objects.filter(name="llm:legal-rubric@1").update(name="llm:another@1")
    assert next_measure() is None


@pytest.mark.django_db
def test_an_installation_in_use_is_left_alone() -> None:
    factories.organization()
    assert next_measure() is None


class Models(BaseHTTPRequestHandler):
    """Says which models there are."""

    body = b""

    def do_GET(self) -> None:
        """The list, or whatever the test put in its place."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
        """Keep the tests' output clean."""


@pytest.fixture
def server() -> Iterator[str]:
    """Its address."""
    listening = ThreadingHTTPServer(("127.0.0.1", 0), Models)
    thread = Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{listening.server_port}/v1"
    listening.shutdown()
    thread.join()
    listening.server_close()


@pytest.mark.parametrize(
    ("body", "models"),
    [({"data": [{"id": "a"}, {"id": "b"}]}, ["a", "b"]), ({"data": None}, []), ({"data": [5]}, []), ([], [])],
)
def test_the_models_of_a_server_are_read_whatever_it_says(
    server: str, monkeypatch: pytest.MonkeyPatch, body: Any, models: list[str]
) -> None:
    monkeypatch.setattr(Models, "body", json.dumps(body).encode())
    assert models_at(server) == models


def test_a_server_that_is_not_there_has_no_models() -> None:
    assert models_at("http://127.0.0.1:1/v1") == []


def test_the_demo_judge_ranks_as_the_experts_do_but_where_they_see_what_it_cannot() -> None:
    rho = {}
    for slug in SLICES:
        own = [each for each in graded_answers() if each.slice == slug]
        assert {grade for each in own for grade in each.grades} <= set(range(1, LEVELS + 1))
        held = [
            opinion_of({"question": each.question, "answer": each.output, "reference": each.reference}).quality
            for each in own
        ]
        rho[slug] = float(spearmanr(held, [sum(each.grades) for each in own]).statistic)
    assert {slug: value > 0.65 for slug, value in rho.items()} == {slug: slug != UNSEEN for slug in SLICES}, rho
    assert rho[UNSEEN] < 0.4
