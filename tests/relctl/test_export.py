"""`relctl export`: ask, wait, write whole; the trust file with fingerprints that are computed here."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.relctl.conftest import Relctl
from tests.relctl.stage import Reply, Stage, answer, problem

DOCUMENT = b'{"receipts":[]}'
QUEUED = {"export_id": "exp_1", "state": "queued", "progress": {"done": 0, "of": 5}}
RAW_KEY = bytes(range(32))
KEY = {
    "keyid": hashlib.sha256(RAW_KEY).hexdigest(),
    "alg": "ed25519",
    "public_key": base64.b64encode(RAW_KEY).decode(),
    "purpose": "receipts",
}


def trust(*keys: dict[str, Any]) -> Reply:
    return answer(200, {"organization": "acme", "origin": "o", "keys": list(keys), "witnesses": [], "tsa_roots": []})


@pytest.fixture
def exporting(stage: Stage) -> Stage:
    stage.plays("POST /v1/exports", answer(202, QUEUED))
    running = QUEUED | {"state": "running", "progress": {"done": 2, "of": 5}}
    done = QUEUED | {"state": "done", "progress": {"done": 5, "of": 5}}
    stage.plays("GET /v1/exports/exp_1", answer(200, running), answer(200, running), answer(200, done))
    stage.plays("GET /v1/exports/exp_1.json", Reply(200, DOCUMENT))
    stage.plays("GET /v1/trust", trust(KEY))
    return stage


@pytest.mark.parametrize(
    ("words", "body"),
    [
        (["--organization"], {"scope": {"organization": True}}),
        (["--application", "legal"], {"scope": {"application": "legal"}}),
        (["--release", "rel_1"], {"scope": {"release": "rel_1"}}),
        (["--person", "mara"], {"scope": {"person": "mara"}}),
        (["--organization", "--opens", "nothing"], {"scope": {"organization": True}, "opens": "nothing"}),
        (
            ["--organization", "--from", "2026-01-01T00:00:00Z", "--to", "2026-02-01T00:00:00Z"],
            {"scope": {"organization": True}, "from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"},
        ),
    ],
)
def test_the_scope_is_asked_for(
    exporting: Stage, relctl: Relctl, tmp_path: Path, words: list[str], body: dict[str, Any]
) -> None:
    assert relctl("export", *words, "-o", tmp_path / "export.json").code == 0
    assert exporting.asked[0].json == body | {"report": False}


@pytest.mark.parametrize("words", [[], ["--organization", "--release", "rel_1"]])
def test_no_scope_and_two_scopes_are_refused(stage: Stage, relctl: Relctl, tmp_path: Path, words: list[str]) -> None:
    ran = relctl("export", *words, "-o", tmp_path / "export.json")
    assert (ran.code, stage.asked) == (2, [])
    assert "exactly one" in ran.err


def test_the_zip_comes_with_the_report_and_is_written_as_it_is(
    exporting: Stage, relctl: Relctl, tmp_path: Path
) -> None:
    exporting.plays("GET /v1/exports/exp_1.zip", Reply(200, b"PK"))
    assert relctl("export", "--organization", "--zip", "-o", tmp_path / "export.zip").code == 0
    assert exporting.asked[0].json == {"scope": {"organization": True}, "report": True}
    assert (tmp_path / "export.zip").read_bytes() == b"PK"


def test_the_file_holds_the_bytes_that_the_server_signed(exporting: Stage, relctl: Relctl, tmp_path: Path) -> None:
    ran = relctl("export", "--organization", "-o", tmp_path / "export.json")
    assert (tmp_path / "export.json").read_bytes() == DOCUMENT
    assert hashlib.sha256(DOCUMENT).hexdigest() in ran.out
    assert [file.name for file in tmp_path.iterdir()] == ["export.json"]


def test_progress_goes_to_stderr_once_for_each_change(exporting: Stage, relctl: Relctl, tmp_path: Path) -> None:
    ran = relctl("export", "--organization", "-o", tmp_path / "export.json")
    assert ran.err.splitlines() == ["exports/exp_1 is queued: 0 of 5.", "exports/exp_1 is running: 2 of 5."]
    assert ran.pauses == [1.0, 1.0, 1.0]


def test_an_export_that_is_not_ready_in_time_says_how_to_take_it_up(
    exporting: Stage, relctl: Relctl, tmp_path: Path
) -> None:
    ran = relctl("export", "--organization", "-o", tmp_path / "export.json", "--timeout", "0.5")
    assert (ran.code, ran.pauses) == (1, [])
    assert "Gave up after 0.5 s" in ran.err
    assert "--idempotency-key" in ran.err


def test_a_failed_export_leaves_the_old_file(stage: Stage, relctl: Relctl, tmp_path: Path) -> None:
    (tmp_path / "export.json").write_bytes(b"old")
    failed = QUEUED | {"state": "error", "problem": {"code": "internal", "detail": "The worker failed."}}
    stage.plays("POST /v1/exports", answer(202, failed))
    ran = relctl("export", "--organization", "-o", tmp_path / "export.json")
    assert (ran.code, (tmp_path / "export.json").read_bytes()) == (1, b"old")
    assert "The worker failed." in ran.err


def test_a_download_that_breaks_off_is_fetched_again_whole(stage: Stage, relctl: Relctl, tmp_path: Path) -> None:
    stage.plays("POST /v1/exports", answer(202, QUEUED | {"state": "done"}))
    half = Reply(200, DOCUMENT[:5], {"Content-Length": str(len(DOCUMENT))})
    stage.plays("GET /v1/exports/exp_1.json", half, Reply(200, DOCUMENT))
    assert relctl("export", "--organization", "-o", tmp_path / "export.json").code == 0
    assert (tmp_path / "export.json").read_bytes() == DOCUMENT


def test_a_folder_that_is_not_there_is_a_usage_error(exporting: Stage, relctl: Relctl, tmp_path: Path) -> None:
    ran = relctl("export", "--organization", "-o", tmp_path / "missing" / "export.json")
    assert ran.code == 2
    assert "missing" in ran.err


def test_a_file_that_cannot_take_its_place_leaves_nothing_behind(
    exporting: Stage, relctl: Relctl, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    ran = relctl("export", "--organization", "-o", tmp_path / "folder")
    assert ran.code == 2
    assert [file.name for file in tmp_path.iterdir()] == ["folder"]


def test_the_trust_file_comes_with_fingerprints_and_a_warning(exporting: Stage, relctl: Relctl, tmp_path: Path) -> None:
    ran = relctl("export", "--organization", "-o", tmp_path / "e.json", "--trust-out", tmp_path / "trust.json")
    assert ran.code == 0
    assert json.loads((tmp_path / "trust.json").read_bytes())["keys"] == [KEY]
    assert KEY["keyid"] in ran.out
    assert "trust on first use" in ran.err


@pytest.mark.parametrize("change", [{"keyid": "00" * 32}, {"public_key": "AAAA"}, {"public_key": None}])
def test_a_key_that_is_not_its_fingerprint_is_refused(
    stage: Stage, relctl: Relctl, tmp_path: Path, change: dict[str, Any]
) -> None:
    stage.plays("GET /v1/trust", trust(KEY | change))
    ran = relctl("export", "--organization", "-o", tmp_path / "e.json", "--trust-out", tmp_path / "trust.json")
    assert ran.code == 1
    assert "is not what it says" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_a_trust_file_that_one_holds_is_never_replaced(exporting: Stage, relctl: Relctl, tmp_path: Path) -> None:
    (tmp_path / "trust.json").write_bytes(b'{"keys": []}')
    ran = relctl("export", "--organization", "-o", tmp_path / "e.json", "--trust-out", tmp_path / "trust.json")
    assert (ran.code, (tmp_path / "trust.json").read_bytes()) == (1, b'{"keys": []}')
    assert "Keep the one that you trust" in ran.err


def test_a_refusal_of_the_scope_exits_1(stage: Stage, relctl: Relctl, tmp_path: Path) -> None:
    stage.plays("POST /v1/exports", problem(403, "forbidden", "This needs audit:read."))
    ran = relctl("export", "--organization", "-o", tmp_path / "e.json")
    assert ran.code == 1
    assert "This needs audit:read." in ran.err
