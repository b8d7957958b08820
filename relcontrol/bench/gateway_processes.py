"""The processes of the data-plane benches: edge, gateway, model server, clients; and what each of them takes.

Processor time is read per process, since a rate alone says little on a machine on which others work meanwhile.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from django.db import connection

from audit.trust import trust_document
from relcontrol.bench.chaos_stage import Stage
from relcontrol.bench.figures import KIBIBYTE
from relcontrol.bench.gate_processes import HOST, environment, free_port
from relcontrol.bench.machine import PROC, TICKS, USER_TIME
from relcontrol.runtime.answering import says_ok
from relcontrol.runtime.folders import CHECKOUT
from relcontrol.runtime.processes import die_with_parent
from releases.routing.snapshot import signed_snapshot

START_SECONDS: Final = 60
STEP_SECONDS: Final = 0.05
PARENT: Final = 1  # field of /proc/<pid>/stat after the name
OF_THIS_DATABASE: Final = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"

Process = subprocess.Popen[bytes]


@contextmanager
def running(command: Sequence[str], given: Mapping[str, str] | None = None) -> Iterator[Process]:
    """A process without output, until the end of the block."""
    process = subprocess.Popen(  # noqa: S603 - our own programs, no shell
        command,
        cwd=CHECKOUT,
        env=environment() if given is None else given,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - this process has one thread
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=START_SECONDS)


@contextmanager
def edge(workers: int = 1) -> Iterator[tuple[Process, int]]:
    """An edge on the throw-away database, and its port."""
    port = free_port()
    options = ["--port", str(port), "--workers", str(workers)]
    with running([sys.executable, str(CHECKOUT / "manage.py"), "edge", *options]) as process:
        until_ready(process, port, "/readyz")
        yield process, port


@contextmanager
def gateway(stage: Stage, folder: Path, edge_port: int, workers: int) -> Iterator[tuple[Process, int]]:
    """A gateway that keeps what it must in `folder`, and its port."""
    port = free_port()
    folder.mkdir()
    (folder / "trust.json").write_text(json.dumps(trust_of(stage)))
    (folder / "token").write_text(stage.gateway_token)
    given = {
        "port": port,
        "workers": workers,
        "control": f"http://{HOST}:{edge_port}",
        "trust": folder / "trust.json",
        "token-file": folder / "token",
        "data": folder / "data",
        "replica": folder.name,
    }
    command = [sys.executable, "-m", "releases.gateway", *(f"--{name}={value}" for name, value in given.items())]
    plain = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    with running(command, plain) as process:
        until_ready(process, port, "/readyz")
        yield process, port


@contextmanager
def model_server(port: int) -> Iterator[Process]:
    """The model server, which every request reaches in the end."""
    with running([sys.executable, "-m", "relcontrol.bench.gateway_upstream", str(port)]) as process:
        until_ready(process, port, "/v1/models")
        yield process


def trust_of(stage: Stage) -> dict[str, Any]:
    """The trust file of gateways of this organization, with the key that signs its snapshots."""
    signed_snapshot(stage.organization)
    document: dict[str, Any] = json.loads(json.dumps(trust_document(stage.organization)))
    return document


def asked(module: str, plan: Mapping[str, Any]) -> Any:
    """What a client says at its end: JSON out of a process of its own, which was given JSON."""
    command = [sys.executable, "-m", f"relcontrol.bench.{module}", json.dumps(plan)]
    answer = subprocess.run(  # noqa: S603 - our own program, no shell
        command, cwd=CHECKOUT, env=environment(), capture_output=True, check=False
    )
    if answer.returncode:
        raise RuntimeError(f"{module} ended with {answer.returncode}: {answer.stderr[-300:].decode(errors='replace')}")
    return json.loads(answer.stdout)


def until_ready(process: Process, port: int, path: str, seconds: float = START_SECONDS) -> None:
    """Wait until a server answers 200."""
    until = time.monotonic() + seconds
    while not says_ok(f"http://{HOST}:{port}{path}"):
        if time.monotonic() > until or process.poll() is not None:
            raise RuntimeError(f"{' '.join(map(str, process.args))[:200]} does not answer")  # type: ignore[arg-type]
        time.sleep(STEP_SECONDS)


def family(pid: int) -> list[int]:
    """A process and all below it, where there is a /proc."""
    parents = {int(file.parent.name): fields[PARENT] for file in PROC.glob("[0-9]*/stat") if (fields := _stat(file))}
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if int(parent) == one]
    return found


def processor_of(pids: Sequence[int]) -> float:
    """Seconds of a processor that these processes have had."""
    fields = [found for pid in pids if (found := _stat(PROC / str(pid) / "stat"))]
    return sum(int(one[USER_TIME]) + int(one[USER_TIME + 1]) for one in fields) / TICKS


def backends() -> list[int]:
    """PostgreSQL's processes that serve the throw-away database; none can be read where it runs elsewhere."""
    with connection.cursor() as cursor:
        cursor.execute(OF_THIS_DATABASE)
        return [pid for (pid,) in cursor.fetchall()]


def memory_of(pid: int) -> int:
    """The proportional set size in bytes: what is shared with others counts by its share; 0 where it cannot be read."""
    try:
        lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(KIBIBYTE * int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def _stat(file: Path) -> list[str]:
    try:
        return file.read_text().rpartition(")")[2].split()
    except OSError:
        return []  # it ended meanwhile
