"""Keeps the workers of a gateway or an edge running: one process each, started again when it dies, drained on SIGTERM.

The supervisor serves nothing and imports little. A worker learns from the end of a pipe that its supervisor is gone,
however that went, and drains as well.

Workers share their metrics through mapped files, which lie in memory where the system offers that: a process that
writes into a mapped page for which the disk has no room is killed (SIGBUS), and so is each that is started after it.
A lock of the kernel says whose folder there is still in use.
"""

import fcntl
import hashlib
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Final

from releases.workers.listening import listeners

MISCONFIGURED: Final = 2
STEP_SECONDS: Final = 0.1
YOUNG_SECONDS: Final = 5.0
LONGEST_PAUSE: Final = 10.0
METRICS_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of our own in it, see `in_memory`


@dataclass(frozen=True, slots=True)
class Plan:
    """How many workers serve what, and where.

    A worker is started as `python -m MODULE INDEX LISTENER LIFELINE arguments…`: two file descriptors, the socket that
    it serves and a pipe that ends with its supervisor. `end_seconds` is for what is in flight and all that follows it.
    """

    name: str
    module: str
    host: str
    port: int
    workers: int
    metrics: Path
    end_seconds: float
    arguments: Sequence[str] = ()
    said: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Worker:
    """One worker process, and when it may be started again."""

    index: int
    listener: socket.socket
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    pause: float = 0.0


class Supervisor:
    """The workers of one plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._ending = False
        self._lifeline, self._end = os.pipe()  # nobody ever writes: that it ends is the message
        self._metrics = _emptied(in_memory(plan.metrics))
        self._holding = os.open(self._metrics, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(self._holding, fcntl.LOCK_SH)
        sweep(MEMORY)
        self._workers = [
            Worker(index, listener)
            for index, listener in enumerate(listeners(plan.host, plan.port, plan.workers), start=1)
        ]
        host, port = self._workers[0].listener.getsockname()[:2]
        for number in (signal.SIGTERM, signal.SIGINT):  # before anybody is told that there is somebody to signal
            signal.signal(number, self._stop)
        say({"event": "listening", "host": host, "port": port, "workers": plan.workers, **plan.said})

    def run(self) -> int:
        """Until a signal, or until a worker says that it can never start."""
        code = 0
        while not self._ending and not code:
            for worker in self._workers:
                code = code or self._attend(worker)
            time.sleep(STEP_SECONDS)
        self._drain()
        return code

    def _attend(self, worker: Worker) -> int:
        now = time.monotonic()
        process = worker.process
        if process is None:
            if now >= worker.started_at + worker.pause:
                self._start(worker)
            return 0
        code = process.poll()
        if code is None:
            return 0
        worker.process = None
        self._forget_metrics(process.pid)
        if code == MISCONFIGURED:
            return code
        young = now - worker.started_at < YOUNG_SECONDS
        worker.pause = min(max(worker.pause * 2, 0.5), LONGEST_PAUSE) if young else 0.0
        say({"event": "worker_died", "worker": worker.index, "code": code, "again_in_s": worker.pause})
        return 0

    def _start(self, worker: Worker) -> None:
        listening, lifeline = worker.listener.fileno(), self._lifeline
        ours = [str(worker.index), str(listening), str(lifeline)]
        self._metrics.mkdir(mode=0o700, parents=True, exist_ok=True)  # systems clean up where memory is shared
        worker.process = subprocess.Popen(  # noqa: S603 - our own module, and the plan's own options
            [sys.executable, "-m", self._plan.module, *ours, *self._plan.arguments],
            pass_fds=(listening, lifeline),
            env={**os.environ, METRICS_VARIABLE: str(self._metrics)},
        )
        worker.started_at = time.monotonic()

    def _drain(self) -> None:
        """Close the port, tell every worker, and wait; what is not over by then is ended."""
        os.close(self._end)  # reaches also a worker that does not listen to signals yet
        for worker in self._workers:
            worker.listener.close()
        running = [worker.process for worker in self._workers if worker.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + self._plan.end_seconds
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._metrics != self._plan.metrics:
            shutil.rmtree(self._metrics, ignore_errors=True)  # memory is not for what nobody reads any more
        say({"event": "stopped"})

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._ending = True

    def _forget_metrics(self, pid: int) -> None:
        """Levels of a process that is gone; what it counted stays counted."""
        for file in self._metrics.glob(f"gauge_live*_{pid}.db"):
            file.unlink(missing_ok=True)


def supervise(plan: Plan) -> int:
    """Run the workers; the exit code."""
    try:
        supervisor = Supervisor(plan)
    except OSError as error:
        sys.stderr.write(f"{plan.name}: {plan.host}:{plan.port} cannot be listened on: {error}\n")
        return MISCONFIGURED
    return supervisor.run()


def say(line: dict[str, Any]) -> None:
    """A line of the log."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def in_memory(folder: Path, memory: Path = MEMORY) -> Path:
    """A folder in memory that stands for this one, always the same; itself where there is none for us alone."""
    name = hashlib.sha256(str(folder.absolute()).encode()).hexdigest()[:16]
    ours = memory / f"relcontrol-{os.getuid()}-{name}"
    try:
        ours.mkdir(mode=0o700, exist_ok=True)
        found = ours.lstat()
    except OSError:
        return folder
    alone = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not stat.S_IMODE(found.st_mode) & 0o077
    return ours if alone else folder


def sweep(memory: Path) -> None:
    """Remove what supervisors that were killed have left there."""
    for folder in memory.glob(f"relcontrol-{os.getuid()}-*"):
        try:
            found = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            continue
        finally:
            os.close(found)


def _emptied(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file in folder.glob("*.db"):
        file.unlink()
    return folder
