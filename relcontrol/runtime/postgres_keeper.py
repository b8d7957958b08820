"""The keeper: one small process that owns the embedded server while anybody uses it, and stops it after the last one.

Users hold the users lock shared; the kernel lets go of it when they die, so a killed command or a killed `up` leaves
nothing behind. `postgres` is the keeper's child and shuts down safely when the keeper is killed. A server that an
earlier keeper left is adopted. Started as `python -m relcontrol.runtime.postgres_keeper DATA_FOLDER`; it returns when
it holds its lock, and goes on in the background.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from relcontrol.runtime.database import EMBEDDED_PORT
from relcontrol.runtime.file_locks import FileLock
from relcontrol.runtime.postgres_binaries import binaries
from relcontrol.runtime.postgres_cluster import ClusterFiles, cluster_files, read_credentials
from relcontrol.runtime.processes import die_with_parent, is_alive, working_folder

LINGER_S = 2.0  # between the last user and the stop, so that commands of a script do not start it again and again
PREDECESSOR_PATIENCE_S = 40.0
STOP_PATIENCE_S = 30.0
POLL_S = 0.1

# What a cluster of tests may forgo: it never outlives its tests.
TEMPORARY_OPTIONS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "jit=off", "max_wal_size=8GB")


def main(argv: list[str]) -> int:
    """Take the keeper lock, go to the background, keep the server."""
    files = cluster_files(Path(argv[1]))
    with FileLock(files.keeper_lock) as lock:
        if not _take(lock):
            return 1
        if os.fork():
            return 0  # the lock stays held: the child has it too
        os.setsid()
        _keep(files)
    return 0


def _take(lock: FileLock) -> bool:
    """The lock, after a keeper that is just stopping has let go of it."""
    deadline = time.monotonic() + PREDECESSOR_PATIENCE_S
    while not lock.exclusive(wait=False):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def _keep(files: ClusterFiles) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # Asked now, because tests remove their data folder at their end.
    is_temporary, (_, socket_folder) = files.temporary_mark.exists(), read_credentials(files)
    with FileLock(files.users_lock) as users:
        server = _adopt(files) or _start(files)
        try:
            _wait_for_end_of_use(files, users, server, linger_s=0.0 if is_temporary else LINGER_S)
        finally:
            server.stop()
            if is_temporary:
                for folder in (socket_folder, files.base, files.data_folder):
                    shutil.rmtree(folder, ignore_errors=True)


class _Server:
    """A running `postgres`: our child, or one that an earlier keeper left."""

    def __init__(self, pid: int, has_ended: Callable[[], bool]) -> None:
        self._pid = pid
        self.has_ended = has_ended

    def stop(self) -> None:
        """Fast shutdown: sessions are ended, everything is written. Immediate shutdown where that takes too long."""
        for number in (signal.SIGINT, signal.SIGQUIT):
            if self.has_ended():
                return
            os.kill(self._pid, number)
            deadline = time.monotonic() + STOP_PATIENCE_S
            while not self.has_ended() and time.monotonic() < deadline:
                time.sleep(POLL_S / 2)


def living_server(files: ClusterFiles) -> int | None:
    """Process id of the server of this cluster. A pid file of a dead server, or whose id others have now, says None."""
    try:
        pid = int((files.cluster / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None
    if not is_alive(pid):
        return None
    if sys.platform == "linux" and working_folder(pid) != files.cluster.resolve():
        return None
    return pid


def stop_living_server(files: ClusterFiles) -> None:
    """Stop the server of this cluster, whoever started it."""
    if server := _adopt(files):
        server.stop()


def _adopt(files: ClusterFiles) -> _Server | None:
    pid = living_server(files)
    return _Server(pid, lambda: not is_alive(pid)) if pid else None


def _start(files: ClusterFiles) -> _Server:
    # PostgreSQL itself refuses to start where another program has got the id in a stale pid file.
    (files.cluster / "postmaster.pid").unlink(missing_ok=True)
    child = subprocess.Popen(
        [binaries(files.account) / "postgres", "-D", files.cluster, *_options(files)],
        stdin=subprocess.DEVNULL,
        cwd="/",
        preexec_fn=die_with_parent(signal.SIGINT),  # noqa: PLW1509 - the keeper has one thread
        **files.account.spawn_options(),
    )
    return _Server(child.pid, lambda: child.poll() is not None)


def _options(files: ClusterFiles) -> list[str]:
    _, socket_folder = read_credentials(files)
    quoted = '"' + str(socket_folder).replace('"', '""') + '"'  # the setting is a list with commas
    options = [
        "listen_addresses=",
        f"port={EMBEDDED_PORT}",
        f"unix_socket_directories={quoted}",
        "unix_socket_permissions=0700",
        "timezone=UTC",
        "log_timezone=UTC",
        *(TEMPORARY_OPTIONS if files.temporary_mark.exists() else ()),
    ]
    return [word for option in options for word in ("-c", option)]


def _wait_for_end_of_use(files: ClusterFiles, users: FileLock, server: _Server, *, linger_s: float) -> None:
    """Return when the server has ended or nobody uses it; in that case the users lock is held alone from then on."""
    last_use = time.monotonic()
    while not server.has_ended():
        time.sleep(POLL_S)
        if not users.exclusive(wait=False):
            last_use = time.monotonic()
        elif time.monotonic() - last_use >= linger_s or not files.credentials.exists():
            return
        else:
            users.release()


if __name__ == "__main__":
    sys.exit(main(sys.argv))
