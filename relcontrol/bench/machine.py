"""The machine of a measurement, and how much of its processor others took: a figure without them says nothing."""

import os
import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

from relcontrol.bench.tables import Table

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
IDLE, IO_WAIT = 3, 4  # fields of the line `cpu` in /proc/stat
COUNTED = 8  # the fields after these repeat guest time that user time has already
USER_TIME = 11  # of /proc/<pid>/stat after the name; then come system, children's user and children's system time


@dataclass(frozen=True, slots=True)
class Load:
    """Processor seconds since the machine started: of everything, of this bench, of PostgreSQL servers."""

    at: float
    busy: float
    ours: float
    postgres: float


def load() -> Load:
    """The counters as they are now; zeros where there is no /proc."""
    ours = sum(os.times()[:4])
    if not (PROC / "stat").exists():
        return Load(time.monotonic(), 0.0, ours, 0.0)
    fields = [int(field) for field in (PROC / "stat").read_text().splitlines()[0].split()[1 : COUNTED + 1]]
    busy = sum(fields) - fields[IDLE] - fields[IO_WAIT]
    return Load(time.monotonic(), busy / TICKS, ours, sum(_postgres_seconds()))


def _postgres_seconds() -> Iterator[float]:
    """Of each server process. A postmaster's children that are gone are in its own figure."""
    for file in PROC.glob("[0-9]*/stat"):
        try:
            name, _, rest = file.read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue  # it ended meanwhile
        if name.startswith("postgres"):
            yield sum(int(field) for field in rest.split()[USER_TIME : USER_TIME + 4]) / TICKS


def description(before: Load, average: tuple[float, float, float]) -> Table:
    """What ran where, after the measurements that began with `before`."""
    after = load()
    elapsed = max(after.at - before.at, 1e-9)
    cores = os.cpu_count() or 1
    ours, postgres = after.ours - before.ours, after.postgres - before.postgres
    others = max(after.busy - before.busy - ours - postgres, 0.0)
    rows = [
        ("cores", str(cores)),
        ("system", f"{platform.system()} {platform.release()} {platform.machine()}"),
        ("Python", platform.python_version()),
        ("PostgreSQL", _postgres_version()),
        ("load average before", ", ".join(f"{figure:.2f}" for figure in average)),
        ("time taken", f"{elapsed:.1f} s"),
        ("processor: this bench", _share(ours, elapsed, cores)),
        ("processor: PostgreSQL", _share(postgres, elapsed, cores)),
        ("processor: others", _share(others, elapsed, cores)),
    ]
    return Table("Machine", ("what", "value"), rows)


def _postgres_version() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), current_setting('fsync'), 1")
        version, fsync, _ = cursor.fetchone()
    return f"{version}, fsync {fsync}"


def _share(seconds: float, elapsed: float, cores: int) -> str:
    return f"{seconds:.1f} s, {100 * seconds / elapsed / cores:.0f} % of all cores"
