"""How long a rollback takes to reach the gateways, and until the last stream of what was left has ended.

A real edge; replicas as in the bench `propagation`; beside them a real gateway, idle or with streams in flight. How
far each rollback has come is what the product itself says of it (`releases.rolling.following`).
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from queue import Queue
from typing import Any, Final

import numpy as np
from django.db import transaction

from relcontrol.accounts.actors import command_actor
from relcontrol.bench import figures
from relcontrol.bench.chaos_stage import Stage
from relcontrol.bench.chaos_traffic import KEY_VARIABLE
from relcontrol.bench.gate_processes import HOST, environment, free_port
from relcontrol.bench.gateway_processes import edge, gateway, running, until_ready
from relcontrol.bench.options import Options
from relcontrol.bench.propagation import arrived, replicas
from relcontrol.bench.rollback_stage import Line, serve_left, set_stage
from relcontrol.bench.tables import Table
from relcontrol.clock import now
from relcontrol.runtime.folders import CHECKOUT
from releases.rolling.following import follow
from releases.rolling.rolling_back import roll_back
from releases.rollout_models import Rollback

STREAMS: Final = 40
LATENCY: Final = "4"  # of the demo models: an answer of 2,000 tokens takes eight seconds
STREAMING_S: Final = 10.0  # until all streams are of what serves
LOOK_S: Final = 0.1
PATIENCE_S: Final = 60.0
REASON: Final = "The bench measures how long it takes."
ARRIVAL_S, DRAINED_S = 0.25, 12.0
COLUMNS: Final = ("gateways", "rollbacks", "step", "fastest", "median", "95 %", "slowest", "target", "met")


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds of one rollback, from its commit on: the last replica has swapped, all acknowledged, all drained."""

    swapped: float
    acknowledged: float
    drained: float


def arrivals(options: Options) -> Iterator[Table]:
    """A table: `options.size` replicas, `options.runs` rollbacks while idle and a quarter of that with streams."""
    port = free_port()
    stage, (line,) = set_stage(f"http://{HOST}:{port}/v1", [("demo-healthy", "demo-hedging")])
    models = [sys.executable, str(CHECKOUT / "manage.py"), "demo-models", "--port", str(port), "--latency", LATENCY]
    with running(models) as process, edge() as (_, edge_port):
        until_ready(process, port, "/healthz")
        idle = list(_measured(stage, line, edge_port, options.size, options.runs, streams=0))
        busy = list(_measured(stage, line, edge_port, options.size, max(1, options.runs // 4), streams=STREAMS))
    yield Table(
        f"A rollback on its way to {options.size:,} replicas and a gateway",
        COLUMNS,
        [*_rows("idle", idle), *_rows(f"{STREAMS} streams", busy)],
        notes=[
            "Milliseconds from the commit. swapped: the last replica serves by the new generation, by its own clock.",
            "acknowledged, drained: as the rollback's own timeline says it; a gateway has drained with the first",
            "heartbeat after its swap that reports nothing in flight, and heartbeats come once a second.",
            "Targets hold for the slowest. All replicas share one process of this machine.",
        ],
    )


def _measured(stage: Stage, line: Line, edge_port: int, size: int, runs: int, *, streams: int) -> Iterator[Took]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="relcontrol-bench-"))) / "real"
        said = stack.enter_context(replicas(stage, edge_port, size, stream=True))
        arrived(said, None)
        _, port = stack.enter_context(gateway(stage, folder, edge_port, 1))
        if streams:
            stack.enter_context(_streams(port, line.key, streams))
        for _ in range(runs):
            arrived(said, serve_left(line))
            time.sleep(STREAMING_S if streams else LOOK_S)
            yield _one(stage, line, said)


def _one(stage: Stage, line: Line, said: "Queue[Any]") -> Took:
    with transaction.atomic():
        row = roll_back(actor=command_actor(stage.organization), route=line.route, to=line.kept, reason=REASON)
        committed, began = now(), time.monotonic()
    swapped = max(arrived(said, row.generation)) - began
    row = _followed(row)
    return Took(swapped, _since(row.acknowledged_at, committed), _since(row.drained_at, committed))


def _followed(row: Rollback) -> Rollback:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        found = follow(row.pk, now())
        if found is not None and found.drained_at is not None:
            return found
        time.sleep(LOOK_S)
    raise RuntimeError(f"the rollback to generation {row.generation} did not come through: {row.progress}")


def _since(at: datetime | None, began: datetime) -> float:
    return (at - began).total_seconds() if at else float("inf")


@contextmanager
def _streams(port: int, key: str, count: int) -> Iterator[None]:
    """So many streams in flight, from a process of their own."""
    process = subprocess.Popen(  # noqa: S603 - our own program, no shell
        [sys.executable, "-m", "relcontrol.bench.rollback_streams", f"http://{HOST}:{port}", str(count)],
        cwd=CHECKOUT,
        env=environment() | {KEY_VARIABLE: key},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        if process.stdout is None or not process.stdout.readline():
            raise RuntimeError("the streams did not begin")
        yield
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _rows(name: str, took: list[Took]) -> Iterator[tuple[str, ...]]:
    steps = (("swapped", ARRIVAL_S), ("acknowledged", ARRIVAL_S), ("drained", DRAINED_S))
    for step, target in steps:
        seconds = np.array([getattr(one, step) for one in took])
        shown = [seconds.min(), np.median(seconds), np.quantile(seconds, 0.95), seconds.max()]
        yield (
            name,
            figures.count(len(took)),
            step,
            *(figures.milliseconds(float(value)) for value in shown),
            f"≤ {figures.milliseconds(target)}",
            "met" if seconds.max() <= target else "missed",
        )
