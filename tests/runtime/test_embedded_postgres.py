"""The embedded server, for real: shared, private, stopped by the last one out, and safe against kill -9."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from relcontrol.environment import MisconfiguredError
from relcontrol.runtime.database import database_address
from relcontrol.runtime.embedded_postgres import is_answering, running
from relcontrol.runtime.file_locks import FileLock
from relcontrol.runtime.folders import CHECKOUT, is_private
from relcontrol.runtime.postgres_cluster import SOCKET_NAME, ClusterFiles, read_credentials
from relcontrol.runtime.postgres_keeper import living_server
from relcontrol.runtime.postgres_roles import connect
from relcontrol.runtime.processes import is_alive
from tests.runtime.conftest import temporary_files
from tests.runtime.waiting import eventually

USE = """
import sys
from relcontrol.runtime.embedded_postgres import running
with running():
    print("in use", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_user() -> Iterator[subprocess.Popen[str]]:
    """A second process that uses the server until its standard input closes."""
    command = [sys.executable, "-c", USE]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "in use\n"
        try:
            yield process
        finally:
            process.kill()


def run_sql(statement: str) -> object:
    """The first value of its result, if it has one, run as the owner."""
    with connect(database_address("owner")) as connection:
        cursor = connection.execute(statement.encode())
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


def keeper_has_gone(files: ClusterFiles) -> bool:
    with FileLock(files.keeper_lock) as lock:
        return lock.exclusive(wait=False)


def keeper_of(server: int) -> int:
    return int(Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()[1])


def killed(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: not is_alive(pid))


def test_passwords_and_socket_are_private_and_nothing_listens_on_the_network(files: ClusterFiles) -> None:
    with running():
        _, socket_folder = read_credentials(files)
        assert files.credentials.stat().st_mode & 0o777 == 0o600
        assert files.log.stat().st_mode & 0o777 == 0o600
        assert is_private(files.private, os.geteuid())
        assert is_private(files.base, files.account.uid)
        assert is_private(socket_folder, files.account.uid)
        assert run_sql("SHOW listen_addresses") == ""
        rules = (files.cluster / "pg_hba.conf").read_text().splitlines()
        assert {rule.split()[-1] for rule in rules if rule and not rule.startswith("#")} == {"scram-sha-256"}


def test_the_owner_owns_the_database_and_neither_role_is_a_superuser(files: ClusterFiles) -> None:
    with running():
        assert run_sql("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'relcontrol'") == "rc_owner"
        roles = "SELECT count(*) FROM pg_roles WHERE rolname IN ('rc_owner', 'rc_app') AND NOT rolsuper"
        assert run_sql(roles) == 2
        with connect(database_address("app")) as connection:
            assert connection.info.user == "rc_app"


def test_a_second_user_shares_the_server_and_the_last_one_out_stops_it(files: ClusterFiles) -> None:
    with running():
        server = living_server(files)
        with running():
            assert living_server(files) == server
        assert is_answering(files)
    assert server is not None
    assert eventually(lambda: not is_alive(server))


def test_the_server_stays_for_a_user_who_came_later_than_its_starter(files: ClusterFiles) -> None:
    with another_user() as starter:
        server = living_server(files)
        with running():
            starter.kill()
            starter.wait()
            assert run_sql("SELECT 1") == 1
            assert living_server(files) == server


def test_a_killed_user_leaves_no_server_behind(files: ClusterFiles) -> None:
    with another_user() as user:
        server = living_server(files)
        user.kill()
    assert server is not None
    assert eventually(lambda: not is_alive(server))


def test_a_killed_server_comes_back_with_what_was_committed(files: ClusterFiles) -> None:
    with running():
        run_sql("CREATE TABLE kept AS SELECT 42 AS n")
        server = living_server(files)
        assert server is not None
        # The keeper of a temporary server would throw it away: kept here as a real one is.
        files.temporary_mark.unlink()
        killed(keeper_of(server))
        assert eventually(lambda: not is_alive(server))
        with running():
            again = living_server(files)
            assert again not in (None, server)
            assert again is not None
            killed(again)
            assert eventually(lambda: keeper_has_gone(files))
            files.temporary_mark.touch(mode=0o600)
            with running():
                assert run_sql("SELECT n FROM kept") == 42


def test_the_server_shuts_down_safely_when_its_keeper_is_killed(files: ClusterFiles) -> None:
    with running():
        server = living_server(files)
        assert server is not None
        killed(keeper_of(server))
        assert eventually(lambda: not is_alive(server))
        assert "database system is shut down" in files.log.read_text()
        with running():
            assert run_sql("SELECT 1") == 1


def test_a_server_that_lost_its_keeper_is_adopted(files: ClusterFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    with running():
        server = living_server(files)
        assert server is not None
        keeper = keeper_of(server)
        os.kill(server, signal.SIGSTOP)  # it cannot hear that its keeper has died
        killed(keeper)
        os.kill(server, signal.SIGCONT)
        with running():
            assert run_sql("SELECT 1") == 1


def test_a_stale_pid_file_is_recognised_when_another_program_has_the_id(files: ClusterFiles) -> None:
    with running():
        server = living_server(files)
        assert server is not None
        files.temporary_mark.unlink()
        killed(keeper_of(server))
        assert eventually(lambda: not is_alive(server))
        pid_file = files.cluster / "postmaster.pid"
        pid_file.write_text(f"{os.getpid()}\n{files.cluster}\n")
        assert living_server(files) is None
        files.temporary_mark.touch(mode=0o600)
        with running():
            assert run_sql("SELECT 1") == 1
            assert living_server(files) not in (None, os.getpid())


def test_four_first_starts_at_once_make_one_server(files: ClusterFiles) -> None:
    command = [sys.executable, "-c", USE]
    starts = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT)
        for _ in range(4)
    ]
    outputs = [start.communicate()[0] for start in starts]
    assert outputs == ["in use\n"] * 4
    assert [start.returncode for start in starts] == [0] * 4


def test_a_cluster_without_its_passwords_is_set_aside_and_not_thrown_away(
    files: ClusterFiles, capsys: pytest.CaptureFixture[str]
) -> None:
    with running():
        server = living_server(files)
        assert server is not None
        files.temporary_mark.unlink()
        killed(keeper_of(server))
        assert eventually(lambda: not is_alive(server))
        files.credentials.unlink()
        files.temporary_mark.touch(mode=0o600)
        with running():
            assert len(list(files.base.glob("cluster.set-aside-*"))) == 1
            assert run_sql("SELECT count(*) FROM pg_class WHERE relname = 'django_migrations'") == 0
    assert "set-aside" in capsys.readouterr().err


def test_a_very_long_data_folder_gets_a_socket_that_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for files in temporary_files(tmp_path / ("deep " * 10) / ("x" * 120), monkeypatch):
        with running():
            _, folder = read_credentials(files)
            assert len(os.fsencode(folder / SOCKET_NAME)) <= 107
            assert is_private(folder, files.account.uid)
            assert run_sql("SELECT 1") == 1
        assert eventually(lambda: not folder.exists())  # noqa: B023 - asked at once


def test_no_permission_outside_our_folders_is_changed(
    tmp_path: Path, files: ClusterFiles, check_modes: Callable[[], dict[str, int]]
) -> None:
    before = check_modes()
    with running():
        assert check_modes() == before


@pytest.fixture
def check_modes(tmp_path: Path) -> Callable[[], dict[str, int]]:
    """Modes of every folder above the data folder, and of the checkout's packages."""
    folders = [tmp_path, *tmp_path.parents, CHECKOUT, *CHECKOUT.parents, Path(sys.prefix)]
    return lambda: {str(folder): folder.stat().st_mode for folder in folders}


def test_a_server_that_cannot_start_is_refused_with_the_end_of_its_log(
    files: ClusterFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relcontrol.runtime.embedded_postgres.START_ATTEMPTS", 1)
    with running():
        server = living_server(files)
        assert server is not None
        files.temporary_mark.unlink()
        killed(keeper_of(server))
        assert eventually(lambda: not is_alive(server))
        control = files.cluster / "global" / "pg_control"
        content = control.read_bytes()
        control.write_bytes(b"")
        with pytest.raises(MisconfiguredError, match="pg_control"), running():
            pytest.fail("a damaged cluster was used")
        control.write_bytes(content)
        files.temporary_mark.touch(mode=0o600)
        with running():
            assert run_sql("SELECT 1") == 1
