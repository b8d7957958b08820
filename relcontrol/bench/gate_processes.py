"""The processes of a large gate run: the web as `up` starts it, and a worker, on the throw-away database."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from relcontrol.bench.gate_worker import READY, Cost, peak_of
from relcontrol.bench.surroundings import NO_LIMIT
from relcontrol.runtime.folders import CHECKOUT
from relcontrol.runtime.processes import die_with_parent
from relcontrol.runtime.services import services
from relcontrol.runtime.test_cluster import environment_for

HOST = "127.0.0.1"
JUDGE_ONE = "import django; django.setup(); from relcontrol.bench.gate_worker import judge_one; judge_one()"
START_SECONDS = 60
ANSWER_SECONDS = 600
STEP_SECONDS = 0.1
SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Web:
    """A server that answers, and who asks it."""

    process: subprocess.Popen[bytes]
    port: int
    token: str

    def call(self, method: str, path: str, body: bytes | None = None) -> dict[str, Any]:
        """One request of the API; the members of its answer."""
        http = HTTPConnection(HOST, self.port, timeout=ANSWER_SECONDS)
        try:
            http.request(method, f"/v1/{path}", body, {"Authorization": f"Bearer {self.token}"})
            answer = http.getresponse()
            said = answer.read()
        finally:
            http.close()
        if answer.status not in (200, 201, 202):
            raise RuntimeError(f"{method} {path} answered {answer.status}: {said[:300].decode(errors='replace')}")
        members: dict[str, Any] = json.loads(said)
        return members

    def peak(self) -> int:
        """The most memory that one of its processes had."""
        return max((peak_of(child) for child in _children(self.process.pid)), default=0)


@contextmanager
def web(token: str) -> Iterator[Web]:
    """The web process on a free port, until it is no longer needed."""
    port = free_port()
    command = next(service.command for service in services(HOST, port) if service.name == "web")
    process = _started(command)
    try:
        _await_answer(process, port)
        yield Web(process, port, token)
    finally:
        process.terminate()
        process.wait(timeout=START_SECONDS)


@contextmanager
def worker() -> Iterator[subprocess.Popen[bytes]]:
    """A process that waits for the key of the run that it shall judge."""
    with _started([sys.executable, "-c", JUDGE_ONE], subprocess.PIPE) as process:
        try:
            if process.stdout is None or process.stdout.readline() != READY:
                raise RuntimeError("the worker did not start")
            yield process
        finally:
            process.kill()


def judged(process: subprocess.Popen[bytes], key: str) -> Cost:
    """Let a worker judge a run; what that took."""
    said, _ = process.communicate(f"{key}\n".encode(), timeout=ANSWER_SECONDS)
    if process.returncode:
        raise RuntimeError(f"the worker ended with {process.returncode}")
    return Cost(**json.loads(said))


def _started(command: Sequence[str], pipes: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own programs, no shell
        command,
        cwd=CHECKOUT,
        env=environment(),
        stdin=pipes,
        stdout=pipes,
        stderr=subprocess.DEVNULL,
        preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - this process has one thread
    )


def environment() -> dict[str, str]:
    """The throw-away database and keys; a broker that reaches nobody, as the worker here is told directly."""
    return {
        **environment_for(str(connection.settings_dict["NAME"])),
        "DJANGO_SETTINGS_MODULE": "relcontrol.settings",
        "RELCONTROL_KEYS": str(settings.KEY_DIR),
        "RELCONTROL_RATE_LIMIT": str(NO_LIMIT),
        "RELCONTROL_HOSTS": HOST,
        "RELCONTROL_HTTPS": "",
        "CELERY_BROKER_URL": "memory://localhost",
    }


def _await_answer(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + START_SECONDS
    while not _answers(port):
        if time.monotonic() > until or process.poll() is not None:
            raise RuntimeError("the web process does not answer")
        time.sleep(STEP_SECONDS)


def _answers(port: int) -> bool:
    http = HTTPConnection(HOST, port, timeout=START_SECONDS)
    try:
        http.request("GET", "/healthz")
        return http.getresponse().status < SERVER_ERROR
    except OSError:
        return False
    finally:
        http.close()


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _children(parent: int) -> Iterator[int]:
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        if int(fields[1]) == parent:
            yield int(file.parent.name)
