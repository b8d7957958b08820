"""Many replicas of a gateway in one process, for `manage.py bench propagation`: all that a worker has but its requests.

`python -m relcontrol.bench.propagation_replicas PLAN` writes a line for each generation once the last of them serves
it. Each verifies its own snapshot and acknowledges it, as in life; but in life they do not share one core.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import uvloop

from releases.gateway.control.disk import LastGood
from releases.gateway.control.edge_client import EdgeClient
from releases.gateway.control.holder import SnapshotHolder
from releases.gateway.control.in_flight import InFlight
from releases.gateway.control.options import Options
from releases.gateway.control.refreshing import Refresher
from releases.gateway.control.reports import Reports
from releases.gateway.control.snapshot import Snapshot
from releases.gateway.control.traces import TraceQueue
from releases.gateway.control.trust import trust_of
from releases.gateway.control.watching import Watch

REGION: Final = "bench"


@dataclass(frozen=True, slots=True)
class Plan:
    """How many, where, and whether they hear the event stream or only ask every second or two."""

    control: str
    token: str
    trust: dict[str, Any] = field(repr=False)
    folder: str
    replicas: int
    stream: bool


class Counts:
    """The metrics of all replicas together."""

    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()

    def count(self, name: str, n: int = 1) -> None:
        """Add to a counter."""
        self.counted[name] += n

    def set(self, name: str, value: float) -> None:
        """Levels are not looked at."""


class Arrivals:
    """When each generation arrived; says so once all have it, or a later one."""

    def __init__(self, replicas: int, say: Callable[[str], object]) -> None:
        self._replicas, self._say = replicas, say
        self._at: dict[int, list[float]] = {}

    def arrived(self, snapshot: Snapshot) -> None:
        """One more replica serves this snapshot."""
        at = self._at.setdefault(snapshot.generation, [])
        at.append(time.monotonic())
        if len(at) == self._replicas:
            self._say(json.dumps({"generation": snapshot.generation, "at": at}))


def made(plan: Plan, number: int, arrivals: Arrivals, counts: Counts) -> tuple[EdgeClient, Watch, Reports]:
    """One replica: its connection, what it hears and what it says."""
    folder = Path(plan.folder) / f"replica-{number}"
    folder.mkdir()
    options = Options(plan.control, plan.token, plan.trust, folder, REGION, f"replica-{number}")
    client, holder = EdgeClient(options), SnapshotHolder()
    holder.listen(arrivals.arrived)
    trust, disk = trust_of(plan.trust), LastGood(folder)
    refresher = Refresher(client=client, holder=holder, disk=disk, trust=trust, metrics=counts)
    reports = Reports(
        client=client, options=options, holder=holder, in_flight=InFlight(), queue=TraceQueue(), metrics=counts
    )
    return client, Watch(client, refresher, counts), reports


async def follow(plan: Plan, say: Callable[[str], object]) -> None:
    """Until the process is ended."""
    arrivals, counts = Arrivals(plan.replicas, say), Counts()
    await asyncio.gather(*(_follow(plan, made(plan, one, arrivals, counts)) for one in range(plan.replicas)))


async def _follow(plan: Plan, replica: tuple[EdgeClient, Watch, Reports]) -> None:
    client, watch, reports = replica
    async with client:
        await asyncio.gather(*_works(plan, watch, reports))


def _works(plan: Plan, watch: Watch, reports: Reports) -> Iterable[Any]:
    yield watch.poll()
    yield reports.acknowledge()
    yield reports.beat()
    if plan.stream:
        yield watch.stream()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(follow(Plan(**json.loads(sys.argv[1])), _say))
