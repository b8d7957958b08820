"""verify.py as an auditor runs it: one file, isolated, no installed package."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from audit import verify
from tests.audit.pure.chains import EXPORT_KEY, RECEIPT_KEY, Ledger, public, trust

PROGRAM = Path(verify.__file__)


@pytest.fixture
def desk(tmp_path: Path, ledger: Ledger) -> Path:
    """A folder with an export and a trust file."""
    (tmp_path / "export.json").write_bytes(ledger.export())
    (tmp_path / "trust.json").write_text(json.dumps(trust(), indent=2))
    return tmp_path


def run(desk: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Isolated and without site-packages: the standard library is all there is."""
    command = [sys.executable, "-I", "-S", str(PROGRAM), *arguments]
    return subprocess.run(command, cwd=desk, capture_output=True, text=True, timeout=60, check=False)


def test_a_sound_export_exits_3_because_no_outside_clock_was_there(desk: Path) -> None:
    done = run(desk, "export.json", "--trust", "trust.json")
    assert (done.returncode, done.stderr) == (3, "")
    for line in (
        "INTEGRITY     holds",
        "AUTHENTICITY  holds",
        "TIME          not checked",
        "COMPLETENESS  not checked",
    ):
        assert line in done.stdout


def test_without_a_trust_file_the_export_is_self_consistent_only(desk: Path) -> None:
    done = run(desk, "export.json")
    assert done.returncode == 3
    assert "AUTHENTICITY  not checked  Self-consistent only" in done.stdout


def test_a_flipped_byte_exits_1_and_names_the_place(desk: Path, ledger: Ledger) -> None:
    text = bytearray(ledger.export())
    text[text.rindex(b'"payload":"') + 700] ^= 1
    (desk / "export.json").write_bytes(text)
    done = run(desk, "export.json", "--trust", "trust.json", "--quiet")
    assert done.returncode == 1
    assert "FAILED AUTHENTICITY seq 5, hash " in done.stdout
    assert "; expected " in done.stdout
    assert "; got " in done.stdout


def test_the_report_as_json_holds_what_the_text_says(desk: Path, ledger: Ledger) -> None:
    done = run(desk, "export.json", "--trust", "trust.json", "--json")
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["exit_code"] == done.returncode == 3
    assert report["head"] == f"5:{ledger.hashes[-1]}"
    assert [one["check"] for one in report["verdicts"]] == list(verify.CHECKS)
    assert report["failures"] == []


def test_quiet_prints_nothing_where_nothing_fails(desk: Path) -> None:
    assert run(desk, "export.json", "--trust", "trust.json", "--quiet").stdout == ""


@pytest.mark.parametrize("as_file", [False, True])
def test_a_known_head_is_given_as_text_or_as_a_file(desk: Path, ledger: Ledger, as_file: bool) -> None:
    head = f"5:{ledger.hashes[-1]}"
    (desk / "head.txt").write_text(f"{head}\n")
    done = run(desk, "export.json", "--trust", "trust.json", "--head", "head.txt" if as_file else head)
    assert done.returncode == 3
    assert "COMPLETENESS  holds" in done.stdout


def test_a_cut_tail_exits_1_with_a_known_head(desk: Path, ledger: Ledger) -> None:
    (desk / "export.json").write_bytes(ledger.export(keep=[0, 1]))
    assert run(desk, "export.json", "--trust", "trust.json", "--head", f"5:{ledger.hashes[-1]}").returncode == 1


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("missing.json",),
        (".",),
        ("export.json", "--trust", "missing.json"),
        ("export.json", "--trust", "broken.json"),
        ("export.json", "--trust", "list.json"),
        ("export.json", "--head", "5"),
        ("export.json", "--head", "5:abc"),
        ("export.json", "--head", "5:" + "a" * 5000),
        ("export.json", "--what"),
    ],
    ids=lambda arguments: " ".join(arguments)[:40],
)
def test_wrong_usage_exits_2_and_says_why(desk: Path, arguments: tuple[str, ...]) -> None:
    (desk / "broken.json").write_text('{"keys": [], "keys": []}')
    (desk / "list.json").write_text("[]")
    done = run(desk, *arguments)
    assert done.returncode == 2
    assert "verify.py: " in done.stderr
    assert "Traceback" not in done.stderr


def test_help_shows_an_example(desk: Path) -> None:
    done = run(desk, "--help")
    assert (done.returncode, "Example: python3 verify.py" in done.stdout) == (0, True)


def test_many_failures_are_shown_by_their_first_twenty(desk: Path) -> None:
    chain = Ledger()
    for _ in range(25):
        chain.settle()
    (desk / "export.json").write_bytes(chain.export())
    retired = trust(public(RECEIPT_KEY, end="2026-01-02T00:00:00.000000Z"), public(EXPORT_KEY))
    (desk / "trust.json").write_text(json.dumps(retired))
    lines = run(desk, "export.json", "--trust", "trust.json", "--quiet").stdout.splitlines()
    assert len(lines) == 21
    assert lines[-1] == "and 5 more failures (--json lists all)"


def test_the_file_imports_nothing_but_the_standard_library_and_two_packages_that_it_can_do_without() -> None:
    imported = {
        line.split()[1].partition(".")[0]
        for line in map(str.strip, PROGRAM.read_text(encoding="utf-8").splitlines())
        if line.startswith(("import ", "from ")) and len(line.split()) > 1 and not line.startswith("from the")
    }
    assert imported <= sys.stdlib_module_names | {"cryptography", "rfc3161_client"}


@pytest.mark.usefixtures("own_ed25519")
def test_the_own_ed25519_gives_the_same_report(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    own = verify.verify_document(ledger.export(), trust())
    monkeypatch.undo()
    assert own == verify.verify_document(ledger.export(), trust())
