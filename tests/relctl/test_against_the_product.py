"""relctl against the product itself: upload, register, read, export, verify, with nothing else in between."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from audit.exporting.exports import make_export
from audit.models import Export
from gates.run_models import GateRun
from gates.runs.working import judge_run
from gates.slices.services import create_slice
from relcontrol.accounts.actors import command_actor
from relcontrol.jobs.running import run
from relcontrol.relctl import main
from tests import factories

SCOPES = ("releases:write", "gates:write", "overrides:write", "rollouts:write", "audit:read")
CASE = {"case_id": "c1", "slice": "ip-licensing", "input": "May affiliates use the licence?"}

Run = Callable[..., int]


def play_the_worker(seconds: float) -> None:
    """While relctl waits, the worker works."""
    run(Export.objects.all(), make_export)
    run(GateRun.objects.all(), judge_run)


@pytest.fixture
def relctl(live_server: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    owner = factories.organization()
    factories.application(owner)
    create_slice(actor=command_actor(owner), slug="ip-licensing", threshold=Decimal("0.65"))
    monkeypatch.setenv("RELCONTROL_URL", live_server.url)
    monkeypatch.setenv("RELCONTROL_TOKEN", factories.service_token(owner, *SCOPES))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.chdir(tmp_path)
    Path("qa.jsonl").write_text(json.dumps(CASE))
    Path("prompt.md").write_text("You answer legal questions.")
    return lambda *words: main(words, pause=play_the_worker)


def register(relctl: Run, *words: str) -> int:
    fields = ("--model", "hf:o/m@a7c91f", "--prompt", "t/qa@v1", "--routing", "domain=legal", "--dataset", "qa-v1")
    return relctl("register", *fields, "--artifact", "t/qa@v1=prompt.md", "--generation", "max_tokens=800", *words)


@pytest.mark.django_db(transaction=True)
def test_upload_register_read_export_and_verify(relctl: Run, capfd: pytest.CaptureFixture[str]) -> None:
    assert relctl("suite", "qa.jsonl", "--name", "qa-v1") == 0
    capfd.readouterr()
    assert register(relctl, "--json") == 0
    release = json.loads(capfd.readouterr().out)
    assert relctl("status", release["manifest_sha256"][:12]) == 0
    assert release["release_id"] in capfd.readouterr().out
    assert relctl("export", "--organization", "-o", "export.json", "--trust-out", "trust.json") == 0
    assert relctl("verify", "export.json", "--trust", "trust.json") == 3
    assert "something was not checked" in capfd.readouterr().out
    document = Path("export.json").read_bytes()
    Path("export.json").write_bytes(document.replace(b'"payload":"', b'"payload":"A', 1))
    assert relctl("verify", "export.json", "--trust", "trust.json") == 1


@pytest.mark.django_db(transaction=True)
def test_wrong_rows_and_fields_come_back_by_name(relctl: Run, capfd: pytest.CaptureFixture[str]) -> None:
    Path("qa.csv").write_text("case_id,slice,input\nc1,nowhere,Why?\nc2,,Why?\n")
    assert relctl("suite", "qa.csv", "--name", "qa-v1") == 1
    said = capfd.readouterr().err
    assert "row 2" in said
    assert "row 3" in said
    assert register(relctl) == 1
    assert "dataset_version" in capfd.readouterr().err


def ready_to_fail(relctl: Run, capfd: pytest.CaptureFixture[str]) -> str:
    """A release, and results in which the judge contradicts the experts; returns its manifest."""
    cases = [CASE | {"case_id": f"c{number}"} for number in range(30)]
    Path("qa.jsonl").write_text("\n".join(map(json.dumps, cases)))
    results = [
        {"case_id": f"c{number}", "output": f"Answer {number}.", "score": number / 30, "human_scores": [30 - number]}
        for number in range(30)
    ]
    Path("results.jsonl").write_text("\n".join(map(json.dumps, results)))
    assert relctl("suite", "qa.jsonl", "--name", "qa-v1", "--grade-scale", "0,30") == 0
    assert register(relctl, "--json") == 0
    return str(json.loads(capfd.readouterr().out.splitlines()[-1])["manifest_sha256"])


GATE = ("--results", "results.jsonl", "--judge", "external:legal-judge@9")


@pytest.mark.django_db(transaction=True)
def test_a_failed_gate_is_told_stops_the_rollout_and_waits_for_an_override(
    relctl: Run, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    manifest = ready_to_fail(relctl, capfd)
    assert relctl("gate", manifest, *GATE, "--markdown", "gate.md", "--junit", "gate.xml") == 1
    said = capfd.readouterr().out
    assert said.startswith("Gate fail: r1\n")
    assert "agreement -1.00 of 0.65 (30 answers) fail" in said
    assert Path("summary.md").read_text().endswith(Path("gate.md").read_text())
    assert "<failure" in Path("gate.xml").read_text()
    assert relctl("roll", manifest) == 1
    assert "now why_not: " in capfd.readouterr().err
    assert relctl("override", manifest, "--force-gate-override", "--override-reason", "Oops") == 1
    assert "overrideReason: " in capfd.readouterr().err
    reason = "The judge was fixed after this run; experts read every answer."
    assert relctl("override", manifest, "--force-gate-override", "--override-reason", reason) == 3
    assert "pending_approval" in capfd.readouterr().out
    assert relctl("roll", manifest) == 1


@pytest.mark.django_db(transaction=True)
def test_a_run_that_a_worker_judges_is_waited_for(relctl: Run, capfd: pytest.CaptureFixture[str]) -> None:
    manifest = ready_to_fail(relctl, capfd)
    assert relctl("gate", manifest, *GATE, "--wait", "0") == 1
    said = capfd.readouterr()
    assert "is queued: 0 of 30." in said.err
    assert said.out.startswith("Gate fail: r1\n")


@pytest.mark.django_db(transaction=True)
def test_wrong_results_come_back_by_place(relctl: Run, capfd: pytest.CaptureFixture[str]) -> None:
    manifest = ready_to_fail(relctl, capfd)
    Path("results.jsonl").write_text('{"case_id": "c1", "output": "A", "score": 7}\n{"case_id": "zz", "output": "B"}')
    assert relctl("gate", manifest, *GATE) == 1
    said = capfd.readouterr().err
    assert "results[0].score: 7 lies outside 0 to 1." in said
    assert "results[1].case_id: The suite has no case 'zz'." in said
