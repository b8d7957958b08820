"""Real processes on the test database: one that does a job, one that serves the API; each can be killed."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from relcontrol.runtime.folders import CHECKOUT

DO_ONE_JOB = "import sys, django; django.setup(); from relcontrol.ticks import work; work(*sys.argv[1:])"

Process = subprocess.Popen[bytes]


@contextmanager
def job_process(environment: Mapping[str, str], kind: str, key: str) -> Iterator[Process]:
    """A process that does what a worker does with a wake-up for this job."""
    with _ended(_start([sys.executable, "-c", DO_ONE_JOB, kind, key], environment)) as process:
        yield process


@contextmanager
def web_process(environment: Mapping[str, str], port: int) -> Iterator[Process]:
    """The `web` process, as `up` starts it but with one worker."""
    gunicorn = [sys.executable, "-m", "gunicorn", "relcontrol.wsgi", "--bind", f"127.0.0.1:{port}"]
    command = [*gunicorn, "--workers", "1", "--threads", "2", "--no-control-socket"]
    with _ended(_start(command, environment)) as process:
        yield process


@contextmanager
def worker_process(environment: Mapping[str, str], queue: str) -> Iterator[Process]:
    """A Celery worker that listens to one queue."""
    celery = [sys.executable, "-m", "celery", "-A", "relcontrol", "--quiet", "worker", "--pool", "solo", "-Q", queue]
    command = [*celery, "-n", f"{queue}@%h", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    with _ended(_start(command, environment)) as process:
        yield process


def kill(process: Process) -> None:
    """SIGKILL to the process and all that it started."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=10)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _start(command: list[str], environment: Mapping[str, str]) -> Process:
    return subprocess.Popen(
        command,
        cwd=CHECKOUT,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


@contextmanager
def _ended(process: Process) -> Iterator[Process]:
    try:
        yield process
    finally:
        if process.poll() is None:
            kill(process)
