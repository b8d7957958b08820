"""`manage.py up`, the whole system: it gets ready, refuses a twin, stops cleanly, and leaves nothing when killed."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from relcontrol.runtime.answering import says_ok
from relcontrol.runtime.embedded_postgres import temporary_data_folder
from relcontrol.runtime.file_locks import FileLock
from relcontrol.runtime.folders import CHECKOUT
from relcontrol.runtime.ports import EDGE_OFFSET, GATEWAY_OFFSET, ports_in_use
from relcontrol.runtime.postgres_cluster import cluster_files
from relcontrol.runtime.postgres_keeper import living_server
from relcontrol.runtime.processes import MARK, die_with_parent, is_alive, marked_processes
from tests.runtime.waiting import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

READY_SECONDS = 120.0


class Up:
    """One started `up` with its output."""

    def __init__(self, data_folder: Path, output: Path) -> None:
        self.data_folder, self.output = data_folder, output
        self.port = free_port()
        self.process = self.start(self.port)

    def start(self, port: int) -> subprocess.Popen[bytes]:
        kept = {
            key: value for key, value in os.environ.items() if key not in ("RELCONTROL_DATABASE_ROLE", "DATABASE_URL")
        }
        environment = {**kept, "RELCONTROL_DATA": str(self.data_folder), "RELCONTROL_NO_BOOTSTRAP": "1"}
        command = [sys.executable, str(CHECKOUT / "manage.py"), "up", "--no-demo", "--port", str(port)]
        with self.output.open("ab") as stream:
            prepare = die_with_parent(signal.SIGINT)  # nothing is left of it when the tests are killed
            return subprocess.Popen(command, stdout=stream, stderr=stream, env=environment, preexec_fn=prepare)  # noqa: PLW1509 - no threads here

    def text(self) -> str:
        return self.output.read_text()

    def wait_for(self, pattern: str) -> None:
        found = eventually(lambda: re.search(pattern, self.text(), re.MULTILINE), seconds=READY_SECONDS)
        assert found, self.text()

    def children(self) -> list[int]:
        return marked_processes(MARK, str(self.data_folder))


def free_port() -> int:
    """A port that is free, and those of gateway and edge too."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port: int = listener.getsockname()[1]
        if not ports_in_use("127.0.0.1", (port, port + GATEWAY_OFFSET, port + EDGE_OFFSET)):
            return port


@pytest.fixture(scope="module")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Used by this file until its last test, so that only the first `up` makes a database; no other may use it then."""
    folder = tmp_path_factory.mktemp("up").resolve() / "data"
    folder.mkdir(mode=0o700)
    temporary_data_folder(folder)
    files = cluster_files(folder)
    with FileLock(files.users_lock) as use:
        use.shared()
        yield folder
    assert eventually(lambda: living_server(files) is None, seconds=30)


@pytest.fixture
def up(data_folder: Path, tmp_path: Path) -> Iterator[Up]:
    started = Up(data_folder, tmp_path / "output")
    yield started
    started.process.kill()
    started.process.wait()
    assert eventually(lambda: not started.children(), seconds=30)


def test_it_gets_ready_refuses_a_twin_and_stops_cleanly(up: Up) -> None:
    up.wait_for(f"^relcontrol is ready: http://127.0.0.1:{up.port}$")
    assert up.text().count("relcontrol is ready") == 1
    assert says_ok(f"http://127.0.0.1:{up.port + EDGE_OFFSET}/healthz")
    assert re.search(r"^worker +queue work$", up.text(), re.MULTILINE)
    assert up.text().count("no gateway yet") == 1
    twin = up.start(free_port())
    assert twin.wait(timeout=60) == 1
    assert "already up with the data folder" in up.text()
    children = up.children()
    assert len(children) >= 5
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(timeout=60) == 0
    assert not any(is_alive(child) for child in children)


def test_when_it_is_killed_everything_that_it_started_ends(up: Up) -> None:
    up.wait_for(r"^web +\| .*Listening at")
    children = up.children()
    assert children
    up.process.kill()
    assert eventually(lambda: not any(is_alive(child) for child in children), seconds=30)
