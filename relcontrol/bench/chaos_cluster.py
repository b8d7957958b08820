"""A PostgreSQL server of the chaos bench's own, which may be killed at any moment; the one in use is never touched.

It is the embedded server as `up` runs it, in a folder that is removed afterwards. What was committed must be there
after a SIGKILL, not after a power cut: without fsync a slow disk does not decide how long a recovery takes.
For the time of the block Django's connection is one to this server.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.db import connection, connections
from django.test import override_settings

from relcontrol.bench.surroundings import KEY_VARIABLES
from relcontrol.runtime.database import APP_ROLE, EMBEDDED_DATABASE, EMBEDDED_PORT
from relcontrol.runtime.database_url import DatabaseAddress
from relcontrol.runtime.embedded_postgres import ensure_answering, is_answering
from relcontrol.runtime.file_locks import FileLock
from relcontrol.runtime.folders import CHECKOUT
from relcontrol.runtime.postgres_cluster import SUPERUSER, ClusterFiles, cluster_files, read_credentials
from relcontrol.runtime.postgres_keeper import living_server, stop_living_server
from relcontrol.runtime.postgres_roles import connect
from relcontrol.runtime.services import child_environment
from relcontrol.runtime.test_cluster import MARK_OF_RUN

HOST: Final = "127.0.0.1"
NO_LIMIT: Final = "1000000000"
# What names another database, other keys, another broker: the processes here have their own.
ELSEWHERE: Final = (
    *("DATABASE_URL", "DATABASE_APP_URL", "CELERY_BROKER_URL", "RELCONTROL_DATABASE_ROLE", "RELCONTROL_HTTPS"),
    *(MARK_OF_RUN, *KEY_VARIABLES),
)


@dataclass(frozen=True, slots=True)
class Cluster:
    """The server and the folder around it."""

    folder: Path
    files: ClusterFiles

    @property
    def keys(self) -> Path:
        """Where the signing keys lie."""
        return self.folder / "keys"

    def kill(self) -> None:
        """SIGKILL to the server and to every process that it has started."""
        server = living_server(self.files)
        if server is None:
            return
        for pid in (server, *children_of(server)):
            _kill(pid)

    def revive(self) -> None:
        """Start it again, as `up` does when it looks."""
        ensure_answering(self.files)

    def answers(self) -> bool:
        """Whether a session can be opened."""
        return is_answering(self.files)

    def environment(self) -> dict[str, str]:
        """What a process needs to work here as rc_app, as a child of `up` has it."""
        return {
            **{name: value for name, value in child_environment(self.folder).items() if name not in ELSEWHERE},
            "RELCONTROL_KEYS": str(self.keys),
            "RELCONTROL_HOSTS": HOST,
            "RELCONTROL_RATE_LIMIT": NO_LIMIT,
        }


def children_of(pid: int) -> list[int]:
    """Ids of the processes that this one has started, as far as they are its children still."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


@contextmanager
def own_cluster(folder: Path) -> Iterator[Cluster]:
    """A migrated server; Django is connected to it as rc_app and signs with its keys until the end of the block."""
    cluster = Cluster(folder, cluster_files(folder))
    with ExitStack() as stack:
        stack.callback(_remove, cluster.files)
        use = stack.enter_context(FileLock(cluster.files.users_lock))
        use.shared()
        cluster.revive()
        _without_fsync(cluster.files)
        _migrate(cluster)
        stack.enter_context(_connected(cluster.files))
        stack.enter_context(override_settings(KEY_DIR=cluster.keys, DATA_DIR=folder))
        stack.enter_context(_without(KEY_VARIABLES))
        yield cluster


def _without_fsync(files: ClusterFiles) -> None:
    passwords, sockets = read_credentials(files)
    superuser = DatabaseAddress("postgres", SUPERUSER, passwords[SUPERUSER], str(sockets), EMBEDDED_PORT)
    with connect(superuser) as session:
        session.execute("ALTER SYSTEM SET fsync = off")
        session.execute("SELECT pg_reload_conf()")


def _migrate(cluster: Cluster) -> None:
    command = [sys.executable, str(CHECKOUT / "manage.py"), "migrate", "--verbosity", "0", "--no-input"]
    subprocess.run(command, env=cluster.environment(), cwd=CHECKOUT, check=True)  # noqa: S603 - our own program


@contextmanager
def _connected(files: ClusterFiles) -> Iterator[None]:
    passwords, sockets = read_credentials(files)
    before = dict(connection.settings_dict)
    here = {"NAME": EMBEDDED_DATABASE, "USER": APP_ROLE, "PASSWORD": passwords[APP_ROLE]}
    connection.close()
    connection.settings_dict.update(here | {"HOST": str(sockets), "PORT": EMBEDDED_PORT, "OPTIONS": {}})
    try:
        yield
    finally:
        connections.close_all()
        connection.settings_dict.update(before)


@contextmanager
def _without(names: tuple[str, ...]) -> Iterator[None]:
    taken: Mapping[str, str] = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(taken)


def _remove(files: ClusterFiles) -> None:
    stop_living_server(files)
    shutil.rmtree(files.base, ignore_errors=True)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
