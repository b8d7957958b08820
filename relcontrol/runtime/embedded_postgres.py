"""The embedded PostgreSQL, there for as long as somebody uses it.

`running()` starts the server where none answers, and uses the one that does: `up` and short commands share one server
in any order, and the last one out stops it (postgres_keeper.py). Alive means that a session can be opened.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from relcontrol.environment import MisconfiguredError
from relcontrol.runtime.console import say
from relcontrol.runtime.database import EMBEDDED_DATABASE, EMBEDDED_PORT, OWNER_ROLE, database_url
from relcontrol.runtime.database_url import DatabaseAddress
from relcontrol.runtime.file_locks import FileLock, held
from relcontrol.runtime.folders import CHECKOUT, ensure_data_folder
from relcontrol.runtime.postgres_cluster import SUPERUSER, ClusterFiles, cluster_files, make_cluster, read_credentials
from relcontrol.runtime.postgres_keeper import stop_living_server
from relcontrol.runtime.postgres_roles import answers, refusal, set_up_embedded
from relcontrol.runtime.processes import MARK

START_ATTEMPTS = 5
RECOVERY_PATIENCE_S = 600.0
PROGRESS_EVERY_S = 3.0
POLL_S = 0.05
LOG_LIMIT = 8 * 1024 * 1024
LOG_TAIL = 2000


@contextmanager
def running() -> Iterator[None]:
    """A database that answers, for the time of the block. Does nothing where DATABASE_URL names an own server."""
    if database_url():
        yield
        return
    files = cluster_files(ensure_data_folder())
    with FileLock(files.users_lock) as use:
        use.shared()
        ensure_answering(files)
        yield


def ensure_answering(files: ClusterFiles) -> None:
    """Start the server unless it answers. Only for holders of the users lock."""
    if is_answering(files):
        return
    with held(files.start_lock):
        _start(files)
        passwords, _ = read_credentials(files)
        set_up_embedded(_address(files, SUPERUSER, "postgres"), passwords, temporary=files.temporary_mark.exists())


def is_answering(files: ClusterFiles) -> bool:
    """Whether the owner can open a session in the database of relcontrol."""
    return files.credentials.exists() and answers(_address(files, OWNER_ROLE, EMBEDDED_DATABASE))


def _address(files: ClusterFiles, role: str, database: str) -> DatabaseAddress:
    passwords, folder = read_credentials(files)
    return DatabaseAddress(database, user=role, password=passwords[role], host=str(folder), port=EMBEDDED_PORT)


def _start(files: ClusterFiles) -> None:
    """Several attempts: the last processes of a killed server need a moment to go away."""
    for attempt in range(START_ATTEMPTS):
        make_cluster(files, lambda: stop_living_server(files))
        superuser = _address(files, SUPERUSER, "postgres")
        if _wait(files, superuser):
            return
        _spawn_keeper(files)
        if _wait(files, superuser):
            return
        time.sleep(0.2 * 2**attempt)
    raise MisconfiguredError(f"PostgreSQL does not start. The end of {files.log}:\n{_log_tail(files)}")


def _spawn_keeper(files: ClusterFiles) -> None:
    if files.log.exists() and files.log.stat().st_size > LOG_LIMIT:
        files.log.replace(files.log.with_suffix(".log.1"))
    files.log.touch(mode=0o600)
    with files.log.open("ab") as log:
        subprocess.run(
            [sys.executable, "-m", "relcontrol.runtime.postgres_keeper", str(files.data_folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=CHECKOUT,
            env={name: value for name, value in os.environ.items() if name != MARK},  # it serves others too
            start_new_session=True,  # Ctrl-C in the terminal of its first user is not meant for it
            check=False,
        )


def _wait(files: ClusterFiles, superuser: DatabaseAddress) -> bool:
    """Wait while a keeper is at work; False when it has given up."""
    begin = last_word = time.monotonic()
    while (reason := refusal(superuser)) and time.monotonic() - begin < RECOVERY_PATIENCE_S:
        with FileLock(files.keeper_lock) as keeper:
            if keeper.exclusive(wait=False):
                return False
        if time.monotonic() - last_word >= PROGRESS_EVERY_S:
            last_word = time.monotonic()
            say(f"waiting for PostgreSQL ({last_word - begin:.0f} s): {reason}")
        time.sleep(POLL_S)
    return not reason


def _log_tail(files: ClusterFiles) -> str:
    return files.log.read_text(errors="replace")[-LOG_TAIL:] if files.log.exists() else "(no log)"


def temporary_data_folder(folder: Path) -> None:
    """Mark `folder` as the data folder of tests: nothing in it is kept, and its server is fast and unsafe."""
    files = cluster_files(folder)
    files.temporary_mark.touch(mode=0o600)
