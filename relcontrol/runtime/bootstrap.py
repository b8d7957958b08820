"""From a bare Python to the environment of requirements.lock, then into it (standard library only).

Fast path: the stamp in the environment says that the lock file of this checkout is installed; then this is one hash and
one exec. Otherwise the environment is made under a lock, so that two starts at once make it once. A marker file stands
in it while packages are installed: an environment that still has the marker is half-made and is made anew.
"""

import hashlib
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from relcontrol.runtime.console import say
from relcontrol.runtime.file_locks import held
from relcontrol.runtime.folders import CHECKOUT
from relcontrol.runtime.system_packages import ensure_python_can_make_environments, ensure_system_packages

LOCK_FILE = CHECKOUT / "requirements.lock"
STAMP_NAME = "relcontrol-stamp"
MARKER_NAME = "relcontrol-installing"


class BootstrapError(RuntimeError):
    """The environment could not be made; the message says what to do."""


def main(argv: Sequence[str]) -> None:
    """Run `argv` in the environment; make it first where it is missing. Does not return before the command ends."""
    if os.environ.get("RELCONTROL_NO_BOOTSTRAP") != "1":
        environment = environment_folder()
        try:
            ensure_environment(environment, LOCK_FILE)
        except (BootstrapError, OSError) as error:
            say(str(error))
            sys.exit(1)
        if Path(sys.prefix).resolve() != environment.resolve():
            _enter(environment, argv)
        ensure_system_packages(argv[1] if len(argv) > 1 else "")
    # Django can only be imported in the environment, so this import cannot stand at the top.
    from relcontrol.runtime.commands import run  # noqa: PLC0415

    run(list(argv))


def environment_folder() -> Path:
    """RELCONTROL_VENV, else `.venv` beside manage.py."""
    given = os.environ.get("RELCONTROL_VENV", "").strip()
    return Path(given).expanduser().absolute() if given else CHECKOUT / ".venv"


def ensure_environment(environment: Path, lock_file: Path) -> None:
    """Make the environment hold what `lock_file` names, unless its stamp says that it already does."""
    wanted = stamp(environment, lock_file)
    if read_stamp(environment) == wanted:
        return
    with held(lock_file):
        if read_stamp(environment) == wanted:
            return
        _discard_half_made(environment)
        _make(environment, lock_file)
        (environment / STAMP_NAME).write_text(wanted)
        (environment / MARKER_NAME).unlink()


def stamp(environment: Path, lock_file: Path) -> str:
    """What an environment is made of: the packages, the Python, and its place (scripts carry absolute paths)."""
    packages = hashlib.sha256(lock_file.read_bytes()).hexdigest()
    return f"{packages} python{sys.version_info.major}.{sys.version_info.minor} {environment}\n"


def read_stamp(environment: Path) -> str:
    """The stamp of a complete environment, else ""."""
    if (environment / MARKER_NAME).exists() or not (environment / "bin" / "python").exists():
        return ""
    try:
        return (environment / STAMP_NAME).read_text()
    except FileNotFoundError:
        return ""


def _discard_half_made(environment: Path) -> None:
    """Remove what an interrupted start left, or what another Python or place made; never a folder that is no venv."""
    if not environment.exists() or not any(environment.iterdir()):
        return
    if not (environment / "pyvenv.cfg").exists() and not (environment / MARKER_NAME).exists():
        raise BootstrapError(
            f"{environment} is no Python environment. Name another folder in RELCONTROL_VENV, or remove it."
        )
    if (environment / MARKER_NAME).exists() or not _is_usable(environment):
        shutil.rmtree(environment)


def _is_usable(environment: Path) -> bool:
    """Whether pip runs in it and it has this Python's version: then packages can be installed over what is there."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    check = f"import pip, sys; sys.exit('%d.%d' % sys.version_info[:2] != '{version}')"
    try:
        finished = subprocess.run([environment / "bin" / "python", "-c", check], capture_output=True, check=False)
    except OSError:
        return False
    return finished.returncode == 0


def _make(environment: Path, lock_file: Path) -> None:
    environment.mkdir(parents=True, exist_ok=True)
    (environment / MARKER_NAME).touch()
    if not _is_usable(environment):
        ensure_python_can_make_environments()
        if importlib.util.find_spec("ensurepip") is None:
            raise BootstrapError("This Python cannot make environments: install its venv package (see above).")
        _step([sys.executable, "-m", "venv", str(environment)], "make the environment")
    packages = sum(1 for line in lock_file.read_text().splitlines() if "==" in line)
    say(f"installing {packages} packages into {environment} (once; a minute or two) ...")
    # `python -m pip`, because the pip script does not start where its path is too long for a first line.
    options = ["--require-hashes", "--no-deps", "-qq", "--disable-pip-version-check", "--no-input"]
    command = [str(environment / "bin" / "python"), "-m", "pip", "install", *options, "-r", str(lock_file)]
    _step(command, "install requirements.lock")
    _write_relctl(environment)


def _step(command: Sequence[str], purpose: str) -> None:
    """Run one step of the set-up with all its output on stderr."""
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONHOME", "PYTHONPATH")}
    if subprocess.run(command, stdout=sys.stderr.fileno(), env=environment, check=False).returncode != 0:
        raise BootstrapError(f"Could not {purpose} (see above). Start again when that is solved.")


def _write_relctl(environment: Path) -> None:
    """The command line client as `bin/relctl`. A shell script, because a Python one cannot name a path with spaces."""
    start = f"import sys; sys.path.insert(0, {str(CHECKOUT)!r}); from relcontrol.relctl import main; sys.exit(main())"
    python = shlex.quote(str(environment / "bin" / "python"))
    launcher = environment / "bin" / "relctl"
    comment = "# Made by manage.py: relctl of this checkout."
    launcher.write_text(f'#!/bin/sh\n{comment}\nexec {python} -c {shlex.quote(start)} "$@"\n')
    launcher.chmod(0o755)


def _enter(environment: Path, argv: Sequence[str]) -> NoReturn:
    """Become the environment's Python."""
    python = str(environment / "bin" / "python")
    os.execv(python, [python, str(CHECKOUT / "manage.py"), *argv[1:]])  # noqa: S606 - no shell is wanted
