"""`manage.py bench propagation`: from a commit to the last of so many replicas on the new generation (gateway.md).

A real edge, and replicas that fetch, verify, swap and acknowledge with the gateway's own code; with the event stream,
and without it, where only the poll is left.
"""

import json
import queue
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Final

import numpy as np
from django.db import transaction

from audit.administration.routing import next_generation
from relcontrol.bench import figures
from relcontrol.bench.chaos_stage import Stage, set_stage
from relcontrol.bench.gate_processes import HOST, environment
from relcontrol.bench.gateway_processes import edge, trust_of
from relcontrol.bench.options import Options
from relcontrol.bench.propagation_replicas import Plan
from relcontrol.bench.tables import Table
from relcontrol.runtime.folders import CHECKOUT
from relcontrol.runtime.processes import die_with_parent

NOWHERE: Final = f"http://{HOST}:9/v1"  # the model server, which nobody asks
PATIENCE_SECONDS: Final = 180
BETWEEN_SECONDS: Final = (0.3, 1.3)  # at every point of a poll's pause
TARGETS: Final = {True: 0.25, False: 2.0}  # with the event stream, without it
COLUMNS: Final = ("arrival", "replicas", "changes", "first", "half", "last: median", "last: worst", "target", "met")


def propagation(options: Options) -> Iterator[Table]:
    """`options.size` replicas, `options.runs` changes, fewer where they take longer than `options.seconds`."""
    stage = set_stage(NOWHERE)
    with edge() as (_, port):
        rows = [_row(stage, port, options, stream=stream) for stream in (True, False)]
    notes = [
        "Milliseconds from just before COMMIT. The target holds for the worst change. All replicas share one process",
        "of this machine, so the last of them waits until all others have verified their snapshots; each has its own",
        "connection, folder, verification, acknowledgement and heartbeat.",
    ]
    yield Table("From a commit to the replicas of a gateway", COLUMNS, rows, notes)


def _row(stage: Stage, port: int, options: Options, *, stream: bool) -> tuple[str, ...]:
    with replicas(stage, port, options.size, stream=stream) as said:
        arrived(said, None)  # everybody has the first one
        took = list(_changes(stage, said, options))
    last = [one[-1] for one in took]
    figures_of = [np.median([one[0] for one in took]), np.median([one[len(one) // 2] for one in took])]
    figures_of += [np.median(last), max(last)]
    return (
        "event stream" if stream else "poll only",
        figures.count(options.size),
        figures.count(len(took)),
        *(figures.milliseconds(float(value)) for value in figures_of),
        f"≤ {figures.milliseconds(TARGETS[stream])}",
        "met" if max(last) <= TARGETS[stream] else "missed",
    )


def _changes(stage: Stage, said: "queue.Queue[Any]", options: Options) -> Iterator[Sequence[float]]:
    """For each change, how long every replica took, the fastest first."""
    end = time.monotonic() + options.seconds
    for number in range(options.runs):
        if number and time.monotonic() > end:
            return
        time.sleep(random.uniform(*BETWEEN_SECONDS))  # noqa: S311 - no secret
        with transaction.atomic():
            generation = next_generation(stage.organization).generation
            began = time.monotonic()
        yield [at - began for at in sorted(arrived(said, generation))]


def arrived(said: "queue.Queue[Any]", generation: int | None) -> Sequence[float]:
    """When each replica had this generation; None is whichever comes first."""
    while True:
        try:
            line = said.get(timeout=PATIENCE_SECONDS)
        except queue.Empty:
            raise RuntimeError(f"generation {generation} did not reach all replicas") from None
        if generation in (None, line["generation"]):
            at: Sequence[float] = line["at"]
            return at


@contextmanager
def replicas(stage: Stage, port: int, count: int, *, stream: bool) -> Iterator["queue.Queue[Any]"]:
    """Replicas in a process of their own; what it says comes in here."""
    said: queue.Queue[Any] = queue.Queue()
    with tempfile.TemporaryDirectory(prefix="relcontrol-bench-") as folder:
        plan = Plan(f"http://{HOST}:{port}", stage.gateway_token, trust_of(stage), folder, count, stream)
        process = _started(plan)
        reader = threading.Thread(target=_read, args=(process, said), daemon=True)
        reader.start()
        try:
            yield said
        finally:
            process.kill()
            process.wait()
            reader.join()
            if process.stdout is not None:
                process.stdout.close()


def _started(plan: Plan) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603 - our own module, no shell
        [sys.executable, "-m", "relcontrol.bench.propagation_replicas", json.dumps(asdict(plan))],
        cwd=CHECKOUT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - this process has one thread
    )


def _read(process: "subprocess.Popen[bytes]", said: "queue.Queue[Any]") -> None:
    for line in process.stdout or ():
        said.put(json.loads(line))
