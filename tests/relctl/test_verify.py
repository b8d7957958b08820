"""`relctl verify`: the verifier beside it runs, offline, and its exit code is the command's."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import relcontrol.relctl
from tests.relctl.conftest import Relctl
from tests.relctl.stage import Stage

VERIFIER = "import sys\nprint(sys.argv[1:])\nsys.exit({code})\n"


@pytest.fixture
def alone(tmp_path: Path) -> Path:
    """relctl.py in a folder of its own, as CI has it."""
    folder = tmp_path / "fetched alone"
    folder.mkdir()
    return Path(shutil.copy(relcontrol.relctl.__file__, folder / "relctl.py"))


def run(file: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-S", str(file), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=file.parent, env={})


@pytest.mark.parametrize(("verdict", "code"), [(0, 0), (1, 1), (2, 2), (3, 3), (70, 1)])
def test_the_verdict_is_the_exit_code(alone: Path, verdict: int, code: int) -> None:
    (alone.parent / "verify.py").write_text(VERIFIER.format(code=verdict))
    assert run(alone, "verify", "export.json").returncode == code


def test_a_verifier_that_breaks_has_verified_nothing(alone: Path) -> None:
    (alone.parent / "verify.py").write_text(VERIFIER.format(code=70))
    assert "broke with exit code 70: nothing is verified." in run(alone, "verify", "export.json").stderr


def test_files_and_options_are_handed_over(alone: Path) -> None:
    (alone.parent / "verify.py").write_text(VERIFIER.format(code=0))
    ran = run(alone, "verify", "--trust", "t.json", "--head", "4:ab", "--json", "--", "-odd.json")
    assert ran.stdout.splitlines()[0] == "['--trust=t.json', '--head=4:ab', '--json', '--', '-odd.json']"


def test_without_a_verifier_it_says_where_to_get_it(alone: Path) -> None:
    ran = run(alone, "verify", "export.json")
    assert ran.returncode == 2
    assert "GET /v1/verify.py" in ran.stderr


def test_in_a_checkout_the_real_verifier_runs_without_any_server(stage: Stage, relctl: Relctl, tmp_path: Path) -> None:
    (tmp_path / "export.json").write_text("{}")
    ran = relctl("verify", tmp_path / "export.json")
    assert (ran.code, stage.asked) == (1, [])
    assert "INTEGRITY" in ran.out
    assert "a check failed" in ran.out


def test_a_missing_export_is_a_usage_error(relctl: Relctl, tmp_path: Path) -> None:
    assert relctl("verify", tmp_path / "export.json").code == 2


def test_help_works_alone_and_says_how_to_see_an_example(alone: Path) -> None:
    ran = run(alone, "--help")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "shows an example" in ran.stdout


@pytest.mark.parametrize("word", ["register", "suite", "gate", "override", "roll", "status", "export", "verify"])
def test_help_of_each_command_works_alone_and_shows_an_example(alone: Path, word: str) -> None:
    ran = run(alone, word, "--help")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert f"example: relctl {word}" in ran.stdout


def test_no_command_at_all_is_a_usage_error(alone: Path) -> None:
    assert run(alone).returncode == 2
