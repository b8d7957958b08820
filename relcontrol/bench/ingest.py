"""`manage.py bench ingest`: traces a second, over HTTP as gateways send them, over OTLP, and by `store` directly.

The limit beside them is a plain COPY of the very rows that were stored, sealed bodies and all, into a table with the
same indexes. Processor time per row tells more than the rate where a machine has other work.
"""

import gzip
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

from django.db import connection

from relcontrol.bench import figures
from relcontrol.bench.chaos_stage import Stage, set_stage
from relcontrol.bench.gate_processes import HOST
from relcontrol.bench.gateway_processes import asked, backends, edge, family, processor_of
from relcontrol.bench.ingest_rows import SPANS, batch, gateway_body, otlp_body
from relcontrol.bench.ingest_senders import Plan
from relcontrol.bench.options import Options
from relcontrol.bench.processes import in_processes
from relcontrol.bench.surroundings import as_owner
from relcontrol.bench.tables import Table
from relcontrol.clock import now
from releases.gateway.control.traces import BATCH_ROWS
from releases.models import Release
from releases.traces.ingest import store
from releases.traces.partitions import ensure_partitions

NOWHERE: Final = f"http://{HOST}:9/v1"  # the model server, which nobody asks
TARGET: Final = 20_000
CONNECTIONS: Final = 4  # as many as the edge has threads for traces
PLAIN_TABLE: Final = "bench_plain_trace"
COLUMNS: Final = ("what", "rows", "median", "lowest", "highest", "Python µs/row", "PostgreSQL µs/row", "target", "met")


@dataclass(slots=True)
class Series:
    """What several runs of one way took: rows, and seconds of the clock, of our processes and of PostgreSQL's."""

    name: str
    targeted: bool = True
    rows: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    python: list[float] = field(default_factory=list)
    postgres: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge's port and its processes."""

    port: int
    pids: Sequence[int]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the rows go: an organization, its release, and the edges, of one process and of two."""

    stage: Stage
    release: str
    one: Edge
    two: Edge


def ingest(options: Options) -> Iterator[Table]:
    """`options.size` rows each way, so many runs, each way in turn."""
    stage = set_stage(NOWHERE)
    release = Release.objects.get(organization=stage.organization).manifest_sha256
    _make_plain_table()
    ensure_partitions(now())
    count = max(1, options.size // BATCH_ROWS)
    series = [
        Series("POST /v1/traces, 4 connections"),
        Series("POST /v1/traces, 8 connections, edge --workers 2"),
        Series("store, one process"),
        Series("store, two processes"),
        Series("POST /v1/otlp/v1/traces, protobuf, 4 connections"),
        Series("POST /v1/otlp/v1/traces, 8 connections, edge --workers 2"),
        Series("peer: COPY of the same rows", targeted=False),
    ]
    with edge() as (process, port), edge(workers=2) as (supervisor, shared):
        single, double = Edge(port, [process.pid]), Edge(shared, family(supervisor.pid))
        place = Place(stage, release, single, double)
        ways = [_over_http, _over_http_by_two, _directly, _by_two, _over_otlp, _over_otlp_by_two, _copied]
        for run in range(options.runs + 1):  # the first one warms up
            for one, way in zip(series, ways, strict=True):
                way(place, one if run else Series(one.name), count if run else 1)
    notes = [
        f"Batches of {BATCH_ROWS} rows with a body of about 1.2 kB, gzip; OTLP: {SPANS} spans. Python: the edge,",
        "or the processes that store; the senders are a process of their own. The peer is PostgreSQL alone, one",
        "connection, sealed bytes in binary as they lie in the table, with the same indexes.",
    ]
    yield Table("Ingest of traces", COLUMNS, [_row(one) for one in series], notes)


def _row(one: Series) -> tuple[str, ...]:
    rates = [rows / seconds for rows, seconds in zip(one.rows, one.seconds, strict=True)]
    rows = sum(one.rows)
    return (
        one.name,
        figures.count(rows),
        *(f"{rate:,.0f}/s" for rate in (median(rates), min(rates), max(rates))),
        f"{1e6 * sum(one.python) / rows:.1f}" if one.targeted else "-",
        f"{1e6 * sum(one.postgres) / rows:.1f}",
        f"≥ {TARGET:,}/s" if one.targeted else "-",
        ("met" if median(rates) >= TARGET else "missed") if one.targeted else "-",
    )


def _over_http(place: Place, series: Series, count: int) -> None:
    _send_traces(place, series, count, place.one, CONNECTIONS)


def _over_http_by_two(place: Place, series: Series, count: int) -> None:
    _send_traces(place, series, count, place.two, 2 * CONNECTIONS)


def _over_otlp(place: Place, series: Series, count: int) -> None:
    _send_spans(place, series, count, place.one, CONNECTIONS)


def _over_otlp_by_two(place: Place, series: Series, count: int) -> None:
    _send_spans(place, series, count, place.two, 2 * CONNECTIONS)


def _send_traces(place: Place, series: Series, count: int, to: Edge, connections: int) -> None:
    bodies = [gateway_body(batch(place.stage, place.release, now())) for _ in range(count)]
    headers = {"Authorization": f"Bearer {place.stage.gateway_token}", "Content-Type": "application/json"}
    _send(series, to, "/v1/traces", bodies, BATCH_ROWS, headers, connections)


def _send_spans(place: Place, series: Series, count: int, to: Edge, connections: int) -> None:
    bodies = [gzip.compress(otlp_body(now()), 1) for _ in range(count)]
    headers = {"Authorization": f"Bearer {place.stage.gateway_token}", "Content-Type": "application/x-protobuf"}
    _send(series, to, "/v1/otlp/v1/traces", bodies, SPANS, headers, connections)


def _send(
    series: Series, to: Edge, path: str, bodies: Sequence[bytes], rows: int, headers: dict[str, str], connections: int
) -> None:
    with tempfile.TemporaryDirectory(prefix="relcontrol-bench-") as folder, _counted(series, to.pids):
        for number, body in enumerate(bodies):
            (Path(folder) / f"{number:06d}").write_bytes(body)
        plan = Plan(f"http://{HOST}:{to.port}{path}", {**headers, "Content-Encoding": "gzip"}, folder, connections)
        sent = asked("ingest_senders", {name: getattr(plan, name) for name in plan.__slots__})
    if sent["refused"]:
        raise RuntimeError(f"{path} refused {sent['refused']} of {len(bodies)} batches")
    series.seconds.append(sent["seconds"])
    series.rows.append(rows * len(bodies))


def _directly(place: Place, series: Series, count: int) -> None:
    _in_processes(place, series, count, 1)


def _by_two(place: Place, series: Series, count: int) -> None:
    _in_processes(place, series, max(2, count), 2)


def _in_processes(place: Place, series: Series, count: int, writers: int) -> None:
    works = [partial(_stored, place, count // writers) for _ in range(writers)]
    took = in_processes(works)
    series.seconds.append(max(seconds for seconds, _, _ in took))
    series.python.append(sum(python for _, python, _ in took))
    series.postgres.append(sum(postgres for _, _, postgres in took))
    series.rows.append(writers * (count // writers) * BATCH_ROWS)


def _stored(place: Place, count: int) -> tuple[float, float, float]:
    """Seconds of the clock, of this process and of its backend for so many batches."""
    batches = [batch(place.stage, place.release, now()) for _ in range(count)]
    mine = _own_backend()
    busy, began, python = processor_of([mine]), time.perf_counter(), time.process_time()
    for rows in batches:
        stored = store(place.stage.organization, rows, now=now())
        if stored.rejected:
            raise RuntimeError(f"a row was rejected: {stored.rejected[0]}")
    return time.perf_counter() - began, time.process_time() - python, processor_of([mine]) - busy


def _copied(_: Place, series: Series, count: int) -> None:
    """The newest rows of the table, out of it in binary, and into the plain one."""
    rows = count * BATCH_ROWS
    newest = f"COPY (SELECT * FROM releases_trace ORDER BY started_at DESC LIMIT {rows}) TO STDOUT (FORMAT BINARY)"  # noqa: S608 - a number
    with connection.cursor() as cursor:
        with cursor.copy(newest) as out:
            chunks = [bytes(chunk) for chunk in out]
        _in_one_copy(series, chunks, rows)


def _in_one_copy(series: Series, chunks: Sequence[bytes], rows: int) -> None:
    with _counted(series, []), connection.cursor() as cursor:
        began = time.perf_counter()
        with cursor.copy(f"COPY {PLAIN_TABLE} FROM STDIN (FORMAT BINARY)") as into:
            for chunk in chunks:
                into.write(chunk)
        series.seconds.append(time.perf_counter() - began)
    series.rows.append(rows)
    with as_owner() as cursor:
        cursor.execute(f"TRUNCATE {PLAIN_TABLE}")


@contextmanager
def _counted(series: Series, pids: Sequence[int]) -> Iterator[None]:
    """The processor time of these processes and of PostgreSQL's on this database goes to the series."""
    before, busy = processor_of(pids), {pid: processor_of([pid]) for pid in backends()}
    yield
    series.python.append(processor_of(pids) - before)
    series.postgres.append(sum(processor_of([pid]) - busy.get(pid, 0.0) for pid in backends()))


def _own_backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    return int(pid)


def _make_plain_table() -> None:
    with as_owner() as cursor:
        cursor.execute(f"CREATE TABLE {PLAIN_TABLE} (LIKE releases_trace INCLUDING ALL)")
        cursor.execute(f"GRANT INSERT, SELECT ON {PLAIN_TABLE} TO rc_app")
