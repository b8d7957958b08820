"""relctl against the product itself: a judge is made, earns its place, and judges what relcontrol has answered."""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from audit.administration.applications import create_endpoint
from gates.calibrations.working import calibrate_judge
from gates.judge_models import CalibrationRun
from gates.models import Rating
from gates.run_models import GateRun
from gates.slices.services import create_slice
from relcontrol.accounts.actors import command_actor
from relcontrol.demo.desk import cases
from relcontrol.demo.graded import LATER, graded_answers, later_grades, suite_lines
from relcontrol.demo.judging import DEFINITION, JUDGE, RUBRIC
from relcontrol.demo.topics import DESK
from relcontrol.jobs.running import run
from relcontrol.relctl import main
from releases.evaluating.working import gate_run
from tests import factories
from tests.gates.scoring.counting import Counting, counting

Run = Callable[..., int]
Said = pytest.CaptureFixture[str]
GRADED = 40


def play_the_worker(seconds: float) -> None:
    """While relctl waits, the worker works."""
    run(CalibrationRun.objects.all(), calibrate_judge)
    run(GateRun.objects.all(), gate_run)


@pytest.fixture(scope="module")
def models() -> Iterator[Counting]:
    """The demo models, which count what they are asked."""
    with counting() as server:
        yield server


@pytest.fixture
def relctl(live_server: Any, models: Counting, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """A shell in a folder with the files, at an organization whose slice the judge shall judge."""
    owner = factories.organization()
    factories.application(owner)
    actor = command_actor(owner)
    create_endpoint(actor=actor, name="main-llm", base_url=models.base_url, credential="")
    create_slice(actor=actor, slug=DESK.slug, threshold=Decimal("0.65"), quality_floor=Decimal("0.15"))
    token = factories.service_token(owner, "releases:write", "gates:write")
    for name, value in (("URL", live_server.url), ("TOKEN", token)):
        monkeypatch.setenv(f"RELCONTROL_{name}", value)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.chdir(tmp_path)
    lines = [line for line in suite_lines() if line["slice"] == DESK.slug]
    assert len(lines) == GRADED
    Path("graded.jsonl").write_text("\n".join(map(json.dumps, lines)))
    Path("cases.jsonl").write_text("\n".join(map(json.dumps, cases())))
    Path("prompt.md").write_text("You review clauses.")
    Path("judge.json").write_text(json.dumps(DEFINITION | {"name": JUDGE}))
    return lambda *words: main(words, pause=play_the_worker)


def graded(relctl: Run, capfd: Said) -> None:
    """A suite with the grades of one expert, and a panel that brings those of the others."""
    assert relctl("suite", "graded.jsonl", "--name", "graded", "--grade-scale", "1,5") == 0
    own = {f"{each.case_id}-a" for each in graded_answers() if each.slice == DESK.slug}
    head, *rows = later_grades().decode().splitlines()
    Path("grades.csv").write_text("\n".join([head, *(row for row in rows if row.split(",")[1] in own)]))
    order = {"name": "Second readers", "rubric": RUBRIC, "source": "suite", "suite": "graded", "scale": [1, 5]}
    Path("panel.json").write_text(json.dumps(order))
    capfd.readouterr()
    assert relctl("panel", "create", "panel.json", "--json") == 0
    panel = json.loads(capfd.readouterr().out)["panel_id"]
    assert relctl("panel", "import", panel, "grades.csv") == 0
    assert capfd.readouterr().out.startswith("80 grades are in\n")
    assert relctl("panel", "progress", panel) == 0
    assert "80 of 80 grades are in" in capfd.readouterr().out
    assert relctl("panel", "close", panel) == 0
    assert relctl("panel", "list") == 0
    assert f"{panel}" in capfd.readouterr().out


@pytest.mark.django_db(transaction=True)
def test_from_nothing_to_a_judge_that_has_earned_its_place_and_an_evaluated_gate_run(
    relctl: Run, capfd: Said, models: Counting
) -> None:
    graded(relctl, capfd)
    assert Rating.objects.filter(rater__in=LATER).count() == 80
    assert relctl("suite", "cases.jsonl", "--name", "qa") == 0
    assert relctl("judge", "create", "judge.json") == 0
    capfd.readouterr()

    assert relctl("judge", "calibrate", JUDGE, "--suite", "graded") == 0
    said = capfd.readouterr()
    assert f"{JUDGE} may decide 1 of 1 slices" in said.out
    assert "injections         0 of 8 injected answers moved the score." in said.out
    assert " is queued: 0 of 40." in said.err

    fields = ("--model", "endpoint:main-llm/demo-healthy", "--prompt", "t/qa@v1", "--dataset", "qa")
    artifact = ("--artifact", "t/qa@v1=prompt.md", "--routing", "domain=legal", "--generation", "max_tokens=200")
    assert relctl("register", *fields, *artifact, "--json") == 0
    manifest = json.loads(capfd.readouterr().out)["manifest_sha256"]
    models.reset()
    assert relctl("gate", manifest, "--judge", JUDGE, "--concurrency", "4") == 3
    said = capfd.readouterr()
    assert said.out.startswith("Gate hold: r1\n")
    assert "cold start" in said.out
    assert f"slice {DESK.slug}" in said.out
    assert "(40 answers) pass" in said.out
    assert "spent on answers   24 calls, " in said.out
    assert "spent on judge     48 calls, " in said.out
    assert models.calls == 72


@pytest.mark.django_db(transaction=True)
def test_what_is_wrong_with_a_judge_comes_back_by_field(relctl: Run, capfd: Said) -> None:
    Path("judge.json").write_text(json.dumps(DEFINITION | {"name": JUDGE, "endpoint": "elsewhere", "draws": 99}))
    assert relctl("judge", "create", "judge.json") == 1
    said = capfd.readouterr().err
    assert "draws: " in said
