"""The environment is made once, safely, and recognised at the next start."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from relcontrol.runtime import bootstrap
from relcontrol.runtime.bootstrap import (
    MARKER_NAME,
    STAMP_NAME,
    BootstrapError,
    ensure_environment,
    read_stamp,
    stamp,
)
from relcontrol.runtime.file_locks import held
from relcontrol.runtime.folders import CHECKOUT


@pytest.fixture
def lock_file(tmp_path: Path) -> Path:
    file = tmp_path / "requirements.lock"
    file.write_text("# nothing is needed\n")
    return file


@pytest.fixture
def makes(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Stands in for the slow part: making the environment and installing into it."""
    made: list[Path] = []

    def make(environment: Path, lock_file: Path) -> None:
        made.append(environment)
        (environment / "bin").mkdir(parents=True, exist_ok=True)
        (environment / MARKER_NAME).touch()
        (environment / "pyvenv.cfg").touch()
        (environment / "bin" / "python").touch()

    monkeypatch.setattr(bootstrap, "_make", make)
    return made


def test_a_real_environment_is_made_in_a_path_with_spaces_and_stdout_stays_clean(
    tmp_path: Path, lock_file: Path
) -> None:
    environment = tmp_path / "a path" / ".venv"
    program = (
        "from pathlib import Path; import sys; from relcontrol.runtime.bootstrap import ensure_environment; "
        "ensure_environment(Path(sys.argv[1]), Path(sys.argv[2]))"
    )
    command = [sys.executable, "-c", program, str(environment), str(lock_file)]
    finished = subprocess.run(command, capture_output=True, text=True, check=True, cwd=CHECKOUT)
    assert finished.stdout == ""
    assert "installing 0 packages" in finished.stderr
    asked = [str(environment / "bin" / "python"), "-c", "import sys; print(sys.prefix)"]
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip() == str(environment)
    assert (environment / "bin" / "relctl").stat().st_mode & 0o111
    assert read_stamp(environment) == stamp(environment, lock_file)


def test_the_second_start_makes_nothing(tmp_path: Path, lock_file: Path, makes: list[Path]) -> None:
    ensure_environment(tmp_path / "venv", lock_file)
    ensure_environment(tmp_path / "venv", lock_file)
    assert len(makes) == 1


def test_another_lock_file_makes_it_anew(tmp_path: Path, lock_file: Path, makes: list[Path]) -> None:
    ensure_environment(tmp_path / "venv", lock_file)
    lock_file.write_text("# something else\n")
    ensure_environment(tmp_path / "venv", lock_file)
    assert len(makes) == 2


def test_an_environment_that_was_moved_is_not_taken_for_complete(
    tmp_path: Path, lock_file: Path, makes: list[Path]
) -> None:
    ensure_environment(tmp_path / "venv", lock_file)
    (tmp_path / "venv").rename(tmp_path / "moved")
    ensure_environment(tmp_path / "moved", lock_file)
    assert makes == [tmp_path / "venv", tmp_path / "moved"]


def test_a_half_made_environment_is_removed_and_made_anew(tmp_path: Path, lock_file: Path, makes: list[Path]) -> None:
    environment = tmp_path / "venv"
    environment.mkdir()
    (environment / MARKER_NAME).touch()
    (environment / STAMP_NAME).write_text(stamp(environment, lock_file))
    (environment / "half").touch()
    ensure_environment(environment, lock_file)
    assert makes
    assert not (environment / "half").exists()
    assert not (environment / MARKER_NAME).exists()


def test_a_folder_that_is_no_environment_is_never_touched(tmp_path: Path, lock_file: Path, makes: list[Path]) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter").touch()
    with pytest.raises(BootstrapError, match="RELCONTROL_VENV"):
        ensure_environment(tmp_path / "home", lock_file)
    assert (tmp_path / "home" / "letter").exists()
    assert not makes


def test_two_starts_at_once_make_it_once(
    tmp_path: Path, lock_file: Path, makes: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    both_came = threading.Barrier(2)

    @contextmanager
    def held_after_both_came(file: Path) -> Iterator[None]:
        both_came.wait(timeout=10)  # both have seen that nothing is made, before one makes it
        with held(file):
            yield

    monkeypatch.setattr(bootstrap, "held", held_after_both_came)
    starts = [threading.Thread(target=ensure_environment, args=(tmp_path / "venv", lock_file)) for _ in range(2)]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    assert len(makes) == 1


def test_a_failed_installation_says_so_and_is_repeated(
    tmp_path: Path, lock_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = tmp_path / "venv"
    monkeypatch.setattr(bootstrap, "_is_usable", lambda _: True)
    for _ in range(2):
        (environment / "bin").mkdir(parents=True)
        (environment / "pyvenv.cfg").touch()
        (environment / "bin" / "python").symlink_to("/bin/false")
        with pytest.raises(BootstrapError, match=r"install requirements\.lock"):
            ensure_environment(environment, lock_file)
        assert read_stamp(environment) == ""
        (environment / "bin" / "python").unlink()
        bootstrap._discard_half_made(environment)


def test_the_client_starts_from_any_path(tmp_path: Path) -> None:
    environment = tmp_path / "it's a path" / ("long" * 40)
    (environment / "bin").mkdir(parents=True)
    python = environment / "bin" / "python"
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    python.chmod(0o755)
    bootstrap._write_relctl(environment)
    command = [str(environment / "bin" / "relctl"), "verify", "a file"]
    arguments = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert arguments[0] == "-c"
    assert "from relcontrol.relctl import main" in arguments[1]
    assert arguments[2:] == ["verify", "a file"]


def test_an_older_python_gets_one_clear_line() -> None:
    source = (CHECKOUT / "manage.py").read_text()
    program = f"import sys; sys.version_info = (3, 10); exec({source!r})"
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert finished.returncode == 1
    assert finished.stderr.startswith("relcontrol needs Python 3.11 or newer")
