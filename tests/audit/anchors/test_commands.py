"""`manage.py anchor` and `manage.py witness`: what they say, and what they refuse."""

import io
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from django.core.management import CommandError, call_command
from starlette.testclient import TestClient

from audit.log.notes import COSIGNATURE, NOTE, parse_vkey, vkey
from tests.audit.anchors.conftest import ORIGIN, Log
from tests.audit.anchors.factory import folder_sink
from tests.factories import organization


@pytest.mark.django_db
def test_anchor_says_what_each_sink_made_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELCONTROL_ANCHOR_FOLDERS", str(tmp_path))
    folder_sink(organization(), tmp_path)
    said = io.StringIO()
    call_command("anchor", organization="northgate", stdout=said)
    assert "the tape: done, proves 20" in said.getvalue()
    monkeypatch.delenv("RELCONTROL_ANCHOR_FOLDERS")
    call_command("anchor", organization="northgate", if_new=True, stdout=said)  # there is nothing new to give
    with pytest.raises(CommandError, match="Not every sink"):
        call_command("anchor", organization="northgate", stdout=said)
    assert "the tape: queued, " in said.getvalue()


@pytest.mark.django_db
def test_anchor_without_a_sink_is_a_sentence() -> None:
    organization()
    with pytest.raises(CommandError, match="No sink is switched on"):
        call_command("anchor", organization="northgate")


def _witness(*arguments: str) -> str:
    said = io.StringIO()
    call_command("witness", *arguments, stdout=said)
    return said.getvalue()


def test_a_witness_serves_its_logs_and_prints_its_key(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: dict[str, Any] = {}
    monkeypatch.setattr(uvicorn, "run", lambda app, **options: served.update(options, app=app))
    key, folder = vkey(ORIGIN, log.key.public, NOTE), str(tmp_path / "witness")
    said = _witness("--listen", "[::1]:8007", "--folder", folder, "--log", key, "--name", "witness.example/w1")
    name, _, kind = parse_vkey(said.strip())
    assert (name, kind) == ("witness.example/w1", COSIGNATURE)
    assert (served["host"], served["port"]) == ("::1", 8007)
    client = TestClient(served["app"])
    assert client.get("/").text == said
    assert client.get(f"/{'0' * 64}/checkpoint").status_code == 404
    assert client.get("/../../etc/passwd/checkpoint").status_code == 404
    again = _witness("--listen", "[::1]:8007", "--folder", folder, "--log", key, "--name", "witness.example/w1")
    assert again == said


@pytest.mark.parametrize(
    ("name", "inside", "complaint"),
    [("a b", "new", "--name: 'a b' is no name of a key"), ("w", "file", "cannot"), ("w", "bad", "cannot be used: the")],
)
def test_a_witness_says_why_it_cannot_use_its_name_or_its_folder(
    log: Log, tmp_path: Path, name: str, inside: str, complaint: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "witness.pem").write_text("no key")
    key = vkey(ORIGIN, log.key.public, NOTE)
    with pytest.raises(CommandError, match=complaint):
        _witness("--listen", "[::1]:8007", "--folder", str(tmp_path / inside), "--log", key, "--name", name)


@pytest.mark.parametrize(
    ("listen", "key"),
    [("8007", "log"), ("127.0.0.1:0", "log"), ("127.0.0.1:99999", "log"), ("127.0.0.1:1", "witness"), ("h:1", "x")],
)
def test_a_witness_does_not_start_with_what_cannot_be_right(log: Log, tmp_path: Path, listen: str, key: str) -> None:
    keys = {"log": vkey(ORIGIN, log.key.public, NOTE), "witness": vkey(ORIGIN, log.key.public, COSIGNATURE), "x": "x"}
    with pytest.raises(CommandError):
        _witness("--listen", listen, "--folder", str(tmp_path / "witness"), "--log", keys[key])
    assert not (tmp_path / "witness").exists()
