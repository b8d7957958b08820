"""`manage.py bench gateway`: what a gateway adds and how much it carries, beside LiteLLM (gateway.md "Targets").

Upstream, gateways, proxy and client are processes of their own on one machine; auth and tracing are on, to a real edge
and database. In every round each way is asked in turn, so that whatever else the machine does falls on all of them.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np

from relcontrol.bench import figures
from relcontrol.bench.chaos_stage import Stage, set_stage
from relcontrol.bench.gate_processes import HOST, free_port
from relcontrol.bench.gateway_litellm import KEY, NotInstalledError, installed, proxy, version
from relcontrol.bench.gateway_processes import (
    Process,
    asked,
    edge,
    family,
    gateway,
    memory_of,
    model_server,
    processor_of,
)
from relcontrol.bench.options import Options
from relcontrol.bench.tables import Table

RATE: Final = 200.0  # requests a second, of the targets
PEER_RATE: Final = 30.0  # which the proxy can answer
CONNECTIONS: Final = 32
TWO_WORKERS: Final = "gateway, 2 workers"
DIRECT: Final = "direct"
ONE_WORKER: Final = "gateway, 1 worker"
PEER: Final = "LiteLLM, 1 worker"
QUANTILES: Final = (50, 95, 99)
MEGABYTE: Final = 1_000_000
COLUMNS: Final = (
    *("way", "rate", "p50 ms", "p95", "p99", "added p50", "p95", "p99"),
    *("first token: added p50", "p95", "throughput", "processor per request", "memory per worker", "failed"),
)


@dataclass(slots=True)
class Way:
    """One way to the model server, and what was seen of it in all rounds: seconds, requests a second, bytes.

    `busy` are seconds of a processor that its processes had for the `answered` requests of the closed loop.
    """

    name: str
    port: int
    key: str
    model: str = "bench"
    rate: float = RATE
    process: Process | None = None
    whole: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    throughput: list[float] = field(default_factory=list)
    busy: float = 0.0
    memory: int = 0
    answered: int = 0
    failed: int = 0


def gateway_bench(options: Options) -> Iterator[Table]:
    """`options.size` requests for each measurement of latency, `options.seconds` of the closed loop, so many rounds."""
    with tempfile.TemporaryDirectory(prefix="relcontrol-bench-") as folder, ExitStack() as stack:
        ways, notes = _ways(stack, Path(folder))
        for _ in range(options.runs):
            for way in ways:
                _measure(way, options)
        _read_memory(ways)
    by_name = {way.name: way for way in ways}
    yield _seen_table(options, by_name, notes)
    yield _target_table(by_name)


def _ways(stack: ExitStack, folder: Path) -> tuple[list[Way], list[str]]:
    upstream = free_port()
    stage = set_stage(f"http://{HOST}:{upstream}/v1")
    stack.enter_context(model_server(upstream))
    _, edge_port = stack.enter_context(edge())
    ways = [Way(DIRECT, upstream, "none")]
    ways += [_gateway(stack, stage, folder, edge_port, workers) for workers in (1, 2)]
    try:
        programs = installed()
    except NotInstalledError as error:
        return ways, [f"LiteLLM could not be installed, so it is not compared: {error}"]
    process, port = stack.enter_context(proxy(programs, folder, upstream))
    ways.append(Way(PEER, port, KEY, rate=PEER_RATE, process=process))
    # One worker: with more, its server ends workers that import for longer than five seconds, and never comes up.
    return ways, [f"LiteLLM {version(programs)}: litellm --config …, one model, a master key, no database."]


def _gateway(stack: ExitStack, stage: Stage, folder: Path, edge_port: int, workers: int) -> Way:
    name = f"gateway, {workers} worker{'s' * (workers > 1)}"
    process, port = stack.enter_context(gateway(stage, folder / f"workers-{workers}", edge_port, workers))
    return Way(name, port, stage.application_key, process=process)


def _measure(way: Way, options: Options) -> None:
    """Latency of whole answers, time to the first token of streams, then as much as goes."""
    size = max(1, int(options.size * way.rate / RATE))
    whole = _asked(way, rate=way.rate, requests=size, connections=8)
    streams = _asked(way, rate=way.rate / 2, requests=size // 2 or 1, connections=16, stream=True)
    pids = family(way.process.pid) if way.process else []
    before = processor_of(pids)
    closed = _asked(way, connections=CONNECTIONS, seconds=options.seconds)
    way.busy += processor_of(pids) - before
    way.answered += len(closed["whole"])
    way.whole += whole["whole"]
    way.first += streams["first"]
    way.throughput.append(len(closed["whole"]) / max(closed["seconds"], 1e-9))
    way.failed += whole["failed"] + streams["failed"] + closed["failed"]


def _asked(way: Way, **plan: Any) -> Mapping[str, Any]:
    said: Mapping[str, Any] = asked("gateway_load", {"port": way.port, "key": way.key, "model": way.model, **plan})
    return said


def _read_memory(ways: Sequence[Way]) -> None:
    for way in ways:
        if way.process is not None:
            pids = family(way.process.pid)
            way.memory = max(map(memory_of, pids[1:] or pids))


def _seen_table(options: Options, ways: Mapping[str, Way], notes: Sequence[str]) -> Table:
    notes = [
        f"{options.runs} rounds; in each, every way in turn: {options.size} requests at the rate (LiteLLM as long, at",
        f"its own), half as many streams of 16 chunks at half the rate, then {CONNECTIONS} connections for",
        f"{options.seconds:g} s. Added is to direct. All of it is on one machine: what one takes, the others lack.",
        "Memory: the largest worker, PSS.",
        "Upstream: python -m relcontrol.bench.gateway_upstream. Client: python -m relcontrol.bench.gateway_load.",
        *notes,
    ]
    problems = [f"{way.name}: {way.failed} requests failed" for way in ways.values() if way.failed and way.name != PEER]
    rows = [_row(way, ways[DIRECT]) for way in ways.values()]
    return Table("Gateway: latency, first token, throughput, memory", COLUMNS, rows, notes, problems)


def _row(way: Way, direct: Way) -> tuple[str, ...]:
    added = _added(way.whole, direct.whole), _added(way.first, direct.first)
    shown = [figures.milliseconds(value) for value in _quantiles(way.whole)]
    more = ["-"] * 5 if way is direct else [figures.milliseconds(value) for value in (*added[0], *added[1][:2])]
    memory = f"{way.memory / MEGABYTE:.0f} MB" if way.memory else "-"
    return (
        way.name,
        f"{way.rate:.0f}/s",
        *shown,
        *more,
        f"{median(way.throughput):,.0f}/s",
        f"{1e6 * way.busy / max(way.answered, 1):,.0f} µs" if way.process else "-",
        memory,
        figures.count(way.failed),
    )


def _target_table(ways: Mapping[str, Way]) -> Table:
    """The targets of the design, for two workers."""
    direct, ours, peer = ways[DIRECT], ways[TWO_WORKERS], ways.get(PEER)
    latency = [1000 * value for value in _added(ours.whole, direct.whole)]
    first = [1000 * value for value in _added(ours.first, direct.first)[:2]]
    throughput = median(ours.throughput)
    rows = [
        _target("added latency at 200/s, p50", latency[0], 2, "ms"),
        _target("added latency at 200/s, p95", latency[1], 5, "ms"),
        _target("added latency at 200/s, p99", latency[2], 10, "ms"),
        _target("added time to first token, p50", first[0], 3, "ms"),
        _target("added time to first token, p95", first[1], 10, "ms"),
        _target("memory per worker", ours.memory / MEGABYTE, 120, "MB"),
        _target("throughput, 2 workers", throughput, 1_500, "/s", least=True),
    ]
    if peer is not None:
        times = median(ways[ONE_WORKER].throughput) / max(median(peer.throughput), 1e-9)
        rows.append(_target("throughput beside LiteLLM, 1 worker each", times, 10, "times", least=True))
    return Table("Targets of gateway.md, with 2 workers", ("what", "measured", "target", "met"), rows)


def _target(what: str, measured: float, target: float, unit: str, *, least: bool = False) -> tuple[str, ...]:
    met = measured >= target if least else measured <= target
    sign = "≥" if least else "≤"
    return what, f"{measured:,.1f} {unit}", f"{sign} {target:,} {unit}", "met" if met else "missed"


def _quantiles(seconds: Sequence[float]) -> list[float]:
    return [float(value) for value in np.percentile(seconds, QUANTILES)] if seconds else [float("nan")] * len(QUANTILES)


def _added(seconds: Sequence[float], direct: Sequence[float]) -> list[float]:
    return [ours - bare for ours, bare in zip(_quantiles(seconds), _quantiles(direct), strict=True)]
