"""`relctl register`: what is sent for each flag and file, and what is said of the answer."""

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.relctl.conftest import Relctl
from tests.relctl.stage import Stage, answer, problem

SHA = "3f" * 32
RELEASE = {
    "release_id": "rel_01jd",
    "manifest_sha256": SHA,
    "bundle_sha256": "b0" * 32,
    "standing": "none",
    "delivery": "registered",
    "changes": [
        {"component": "prompt_template", "kind": "serving", "before": "sha256:aa", "after": "sha256:bb"},
        {"component": "dataset", "kind": "measuring", "before": "sha256:cc", "after": "sha256:dd"},
    ],
    "fast_gate": {
        "findings": [{"severity": "warning", "code": "unused_slot", "message": "Not used: name.", "field": ""}]
    },
}


@pytest.fixture
def registering(stage: Stage) -> Stage:
    stage.plays("POST /v1/releases", answer(201, RELEASE))
    return stage


def test_every_flag_becomes_its_field(registering: Stage, relctl: Relctl) -> None:
    flags = "--application legal --model hf:o/m@1 --model-kind open_weights --weights-sha256 aa --adapter hf:o/a@2"
    flags += " --prompt t/qa@v2 --preprocessing p/plain@v1 --dataset qa-v3 --previous rel_01jc --expected-sha256 bb"
    flags += " --routing domain=legal --routing tier=a=b --generation temperature=0.2 --component judge=j@1"
    flags += " --acknowledge model,routing --rebase"
    assert relctl("register", *flags.split()).code == 0
    assert registering.asked[0].json == {
        "application": "legal",
        "model_ref": "hf:o/m@1",
        "model_kind": "open_weights",
        "weights_sha256": "aa",
        "adapter_ref": "hf:o/a@2",
        "prompt_template_ref": "t/qa@v2",
        "preprocessing_ref": "p/plain@v1",
        "dataset_version": "qa-v3",
        "previous_release": "rel_01jc",
        "expected_manifest_sha256": "bb",
        "routing": {"domain": "legal", "tier": "a=b"},
        "generation": {"temperature": "0.2"},
        "components": {"judge": "j@1"},
        "acknowledged_changes": ["model", "routing"],
        "rebase": True,
    }


def test_a_flag_that_is_not_given_is_not_sent(registering: Stage, relctl: Relctl) -> None:
    relctl("register", "--model", "m")
    assert registering.asked[0].json == {"model_ref": "m"}


def test_the_request_says_who_asks_and_in_what_format(registering: Stage, relctl: Relctl) -> None:
    relctl("register", "--model", "m", "--idempotency-key", "build-77")
    headers = registering.asked[0].headers
    assert headers["Authorization"].startswith("Bearer rc_")
    assert headers["Content-Type"] == "application/json"
    assert headers["Idempotency-Key"] == "build-77"


def test_each_run_makes_a_key_of_its_own(registering: Stage, relctl: Relctl) -> None:
    relctl("register", "--model", "m")
    relctl("register", "--model", "m")
    first, second = (asked.headers["Idempotency-Key"] for asked in registering.asked)
    assert first != second


def test_flags_stand_over_the_file(registering: Stage, relctl: Relctl, tmp_path: Path) -> None:
    file = tmp_path / "release.json"
    file.write_text(json.dumps({"model_ref": "old", "routing": {"domain": "legal"}}))
    relctl("register", "--file", file, "--model", "new")
    assert registering.asked[0].json == {"model_ref": "new", "routing": {"domain": "legal"}}


def test_the_file_may_come_from_stdin(registering: Stage, relctl: Relctl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b'{"model_ref": "m"}')))
    relctl("register", "--file", "-")
    assert registering.asked[0].json == {"model_ref": "m"}


def test_artifacts_of_flags_join_those_of_the_file(registering: Stage, relctl: Relctl, tmp_path: Path) -> None:
    (tmp_path / "release.json").write_text('{"artifacts": [{"ref": "a@1", "value": {"kind": "few_shot"}}]}')
    (tmp_path / "steps.json").write_text('{"kind": "preprocessing", "steps": []}')
    relctl("register", "--file", tmp_path / "release.json", "--artifact", f"p@1={tmp_path / 'steps.json'}")
    assert registering.asked[0].json["artifacts"] == [
        {"ref": "a@1", "value": {"kind": "few_shot"}},
        {"ref": "p@1", "value": {"kind": "preprocessing", "steps": []}},
    ]


@pytest.mark.parametrize("suffix", ["txt", "md"])
def test_a_text_file_is_a_prompt_to_the_last_byte(
    registering: Stage, relctl: Relctl, tmp_path: Path, suffix: str
) -> None:
    prompt = tmp_path / f"prompt.{suffix}"
    prompt.write_bytes("You answer. “§ 3”\r\n".encode())
    relctl("register", "--model", "m", "--artifact", f"t/qa@v2={prompt}")
    expected = {"kind": "prompt_template", "system": "You answer. “§ 3”\r\n"}
    assert registering.asked[0].json["artifacts"] == [{"ref": "t/qa@v2", "value": expected}]


def test_the_answer_is_told_in_full(registering: Stage, relctl: Relctl) -> None:
    said = relctl("register", "--model", "m").out
    assert "Registered: rel_01jd" in said
    for part in (SHA, "b0" * 32, "none", "registered", "prompt_template, dataset", "unused_slot: Not used: name."):
        assert part in said


def test_a_release_that_exists_is_said_to_exist(stage: Stage, relctl: Relctl) -> None:
    stage.plays("POST /v1/releases", answer(200, RELEASE))
    ran = relctl("register", "--model", "m")
    assert (ran.code, ran.out.splitlines()[0]) == (0, "Already registered, nothing changed: rel_01jd")


def test_json_prints_the_answer_as_it_came(registering: Stage, relctl: Relctl) -> None:
    assert json.loads(relctl("register", "--model", "m", "--json").out) == RELEASE


def test_a_refusal_names_every_field_and_exits_1(stage: Stage, relctl: Relctl) -> None:
    wrong = [{"field": "model_ref", "message": "Unknown."}, {"field": "routing.domain", "message": "Blank."}]
    stage.plays("POST /v1/releases", problem(422, "invalid", "Two fields are wrong.", errors=wrong))
    ran = relctl("register", "--model", "m")
    assert ran.code == 1
    assert ran.err.splitlines() == [
        "relctl: Two fields are wrong. (code invalid, status 422, request_id req_7)",
        "  model_ref: Unknown.",
        "  routing.domain: Blank.",
    ]
    assert ran.out == ""


def test_a_conflict_shows_the_present_state(stage: Stage, relctl: Relctl) -> None:
    difference = [{"field": "/model/ref", "expected": "a", "got": "b"}]
    stage.plays("POST /v1/releases", problem(409, "digest", "It differs.", state={"difference": difference}))
    ran = relctl("register", "--model", "m", "--expected-sha256", "aa")
    assert ran.code == 1
    assert '  now difference: {"field": "/model/ref", "expected": "a", "got": "b"}' in ran.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--routing", "legal"], "give NAME=VALUE, and each name once"),
        (["--routing", "a=1", "--routing", "a=2"], "give NAME=VALUE, and each name once"),
        (["--file", "/nowhere/release.json"], "/nowhere/release.json"),
        (["--mod", "m"], "unrecognized arguments: --mod m"),
    ],
)
def test_a_wrong_command_line_exits_2_and_sends_nothing(
    stage: Stage, relctl: Relctl, words: list[str], said: str
) -> None:
    ran = relctl("register", *words)
    assert (ran.code, stage.asked) == (2, [])
    assert said in ran.err


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff", b"[" * 100_000])
def test_a_file_that_is_no_json_object_exits_2_naming_it(
    stage: Stage, relctl: Relctl, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "release.json"
    file.write_bytes(content)
    ran = relctl("register", "--file", file)
    assert (ran.code, stage.asked) == (2, [])
    assert "release.json" in ran.err
