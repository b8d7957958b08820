"""The files of one embedded PostgreSQL server: where they are, who owns them, and how they come to be.

Everything private lies in `<data folder>/postgres` (passwords, locks, log). The cluster and its socket lie there too;
when we are root, whose data folder is closed to the server's user, in /var/lib/relcontrol/<digest of data folder>.
"""

import hashlib
import json
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from relcontrol.environment import MisconfiguredError
from relcontrol.runtime.console import say
from relcontrol.runtime.database import APP_ROLE, EMBEDDED_PORT, OWNER_ROLE
from relcontrol.runtime.folders import fits_socket, is_private, make_private_folder, short_private_folder
from relcontrol.runtime.postgres_binaries import Account, binaries, server_account, system_folder
from relcontrol.runtime.private_files import write_private

SUPERUSER = "postgres"
SOCKET_NAME = f".s.PGSQL.{EMBEDDED_PORT}"


@dataclass(frozen=True, slots=True)
class ClusterFiles:
    """The places of one server. `private` is ours; `base` belongs to the account that runs the server."""

    data_folder: Path
    base: Path
    account: Account

    @property
    def private(self) -> Path:
        """Passwords, locks and log."""
        return self.data_folder / "postgres"

    @property
    def cluster(self) -> Path:
        """What PostgreSQL calls its data directory."""
        return self.base / "cluster"

    @property
    def credentials(self) -> Path:
        """Passwords of the roles and the folder of the socket."""
        return self.private / "credentials.json"

    @property
    def log(self) -> Path:
        """What the server and its keeper write."""
        return self.private / "server.log"

    @property
    def users_lock(self) -> Path:
        """Held shared by everyone who uses the server, alone by the keeper while it stops it."""
        return self.private / "users.lock"

    @property
    def start_lock(self) -> Path:
        """Held by the one who makes the cluster or starts the keeper."""
        return self.private / "start.lock"

    @property
    def keeper_lock(self) -> Path:
        """Held by the keeper for its life."""
        return self.private / "keeper.lock"

    @property
    def temporary_mark(self) -> Path:
        """Stands in clusters of tests: no fsync, and the keeper removes everything at its end."""
        return self.private / "temporary"


def cluster_files(data_folder: Path) -> ClusterFiles:
    """The places of the server of this data folder; makes the folders around it."""
    account = server_account()
    private = make_private_folder(data_folder / "postgres")
    if account.uid == os.geteuid():
        return ClusterFiles(data_folder, private, account)
    base = system_folder() / hashlib.sha256(os.fsencode(data_folder)).hexdigest()[:16]
    return ClusterFiles(data_folder, base, account)


def make_cluster(files: ClusterFiles, stop_server: Callable[[], None]) -> None:
    """Make credentials and cluster where they are missing, and see that the socket folder is still ours alone."""
    if not files.credentials.exists():
        if files.cluster.exists():
            stop_server()
            _set_aside(files)
        _write_credentials(files, {role: secrets.token_urlsafe(32) for role in (SUPERUSER, OWNER_ROLE, APP_ROLE)})
    _ensure_owned(files.base, files.account)
    _ensure_socket_folder(files)
    if not files.cluster.exists():
        _initialise(files)


def read_credentials(files: ClusterFiles) -> tuple[dict[str, str], Path]:
    """Passwords by role, and the socket folder."""
    found = json.loads(files.credentials.read_text())
    return found["passwords"], Path(found["socket_folder"])


def _write_credentials(files: ClusterFiles, passwords: dict[str, str], socket_folder: Path | None = None) -> None:
    folder = socket_folder or files.base / "sockets"
    write_private(files.credentials, json.dumps({"passwords": passwords, "socket_folder": str(folder)}, indent=1))


def _set_aside(files: ClusterFiles) -> None:
    """Without its passwords a cluster is of no use, but only its owner may throw it away."""
    aside = files.base / f"cluster.set-aside-{time.strftime('%Y%m%dT%H%M%S')}"
    files.cluster.rename(aside)
    say(f"{files.credentials} is gone. The database that it opened now lies in {aside}; starting with an empty one")


def _ensure_owned(folder: Path, account: Account) -> None:
    """Make `folder` for the account with mode 0700, or refuse one that is not exactly that."""
    if not folder.exists():
        folder.mkdir(mode=0o700)
        if account.uid != os.geteuid():
            os.chown(folder, account.uid, account.gid)
    if not is_private(folder, account.uid):
        raise MisconfiguredError(f"{folder} must be a folder of user id {account.uid} with mode 0700. Move it away.")


def _ensure_socket_folder(files: ClusterFiles) -> None:
    passwords, folder = read_credentials(files)
    usual = files.base / "sockets"
    if fits_socket(usual, SOCKET_NAME):
        folder = usual
    elif not (folder != usual and is_private(folder, files.account.uid)):
        folder = short_private_folder()
    _ensure_owned(folder, files.account)
    _write_credentials(files, passwords, folder)


def _initialise(files: ClusterFiles) -> None:
    """Run initdb into a draft that takes the cluster's name when it is complete."""
    say(f"making the database in {files.cluster} ...")
    draft, password_file = files.base / "cluster.new", files.base / "superuser-password"
    shutil.rmtree(draft, ignore_errors=True)
    write_private(password_file, read_credentials(files)[0][SUPERUSER])
    try:
        # Not through a link: this folder is the server account's, which is less than we may be.
        os.chown(password_file, files.account.uid, files.account.gid, follow_symlinks=False)
        _run_initdb(files, draft, password_file)
    finally:
        password_file.unlink()
    draft.rename(files.cluster)


def _run_initdb(files: ClusterFiles, draft: Path, password_file: Path) -> None:
    command = [
        str(binaries(files.account) / "initdb"),
        f"--pgdata={draft}",
        f"--username={SUPERUSER}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C",
        *(["--no-sync"] if files.temporary_mark.exists() else []),
    ]
    options = files.account.spawn_options()
    made = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", **options)
    if made.returncode != 0:
        raise MisconfiguredError(f"PostgreSQL could not make its files in {draft}: {made.stderr.strip()}")
