"""relctl against the product itself: upload, register, read, export, verify, with nothing else in between."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audit.exports import make_export
from audit.models import Export
from gates.slices import create_slice
from relcontrol.accounts.actors import command_actor
from relcontrol.jobs.running import run
from relcontrol.relctl import main
from tests import factories

SCOPES = ("releases:write", "gates:write", "audit:read")
CASE = {"case_id": "c1", "slice": "ip-licensing", "input": "May affiliates use the licence?"}

Run = Callable[..., int]


def play_the_worker(seconds: float) -> None:
    """While relctl waits, the worker works."""
    run(Export.objects.all(), make_export)


@pytest.fixture
def relctl(live_server: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    owner = factories.organization()
    factories.application(owner)
    create_slice(actor=command_actor(owner), slug="ip-licensing")
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
