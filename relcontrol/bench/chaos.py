"""The bench `chaos`: kills at random moments of rollouts under load, and what they did (gateway.md "fail-static").

A whole installation of its own runs as `up` starts it: database, web, edge, ticker, worker, replayer, beat, a gateway
with two workers, a model server and clients. One of them after the other is killed and comes back by itself.
"""

import random
import statistics
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from django.db import Error, connection

from relcontrol.bench.chaos_findings import Damage, damages, problems_of_rows, trace_counts
from relcontrol.bench.chaos_start import running_system
from relcontrol.bench.chaos_system import GATEWAY, VICTIMS, WORKERS, Kill, System
from relcontrol.bench.options import Options
from relcontrol.bench.tables import Table
from relcontrol.clock import now
from releases.replica_models import Replica
from releases.rollout_models import OVER, Rollout

RATE: Final = 120.0  # so that 1,000 requests of stable come within the first two steps
GAP_S: Final = (0.5, 3.0)
ROLLOUT_S: Final = 300.0
TRACES_S: Final = 150.0  # a batch that a killed worker had taken from the disk may be taken again after 120 s
HEARTBEAT: Final = timedelta(seconds=2)
SHOWN: Final = 5
COLUMNS: Final = ("killed", "runs", "failed", "cut off", "lost", "unsent", "doubled", "median s", "longest s")


def chaos(options: Options) -> Iterator[Table]:
    """Kill `runs` times; a table of what that did, with everything that must not be as its problems."""
    with (
        tempfile.TemporaryDirectory(prefix="relcontrol-chaos-") as folder,
        running_system(Path(folder).resolve(), rate=RATE) as system,
    ):
        system.kill_at_random(random.Random(options.seed), options.runs, GAP_S)  # noqa: S311 - no secret
        yield judged(system)


def judged(system: System) -> Table:
    """Let the last rollouts end and everything be delivered; then look at every request and every row."""
    settle(system)
    outcomes, organization = system.outcomes(), system.stage.organization
    found = damages(outcomes, trace_counts(organization), system.kills, system.director.failing)
    problems = [*_problems(found), *problems_of_rows(organization, system.director.planned)]
    if dropped := sum(Replica.objects.values_list("dropped", flat=True)):
        problems.append(f"the gateway says that it dropped {dropped} traces")
    ends = Counter(Rollout.objects.values_list("state", flat=True))
    return Table(
        f"{len(system.kills)} kills during {sum(ends.values())} rollouts and {len(outcomes):,} requests",
        COLUMNS,
        [_row(victim, found.get(victim, Damage()), system.kills) for victim in VICTIMS],
        notes=[
            "",
            "A request counts for what was killed last before it ended. Must be 0: failed, lost, doubled.",
            f"cut off, unsent: requests and traces that only the killed worker of the {GATEWAY} had.",
            f"Rollouts: {', '.join(f'{number} {state}' for state, number in sorted(ends.items()))}.",
            f"Resumed by a person, after an outage longer than all extensions: {system.director.resumed}.",
            *problems,
        ],
        problems=problems,
    )


def settle(system: System) -> None:
    """No further rollouts; the clients have all their answers, and the gateway keeps no trace any more."""
    system.director.starting = False
    system.until(lambda: _all_over(system), "the rollouts end", ROLLOUT_S)
    system.fleet.end("clients")
    ended = now() + HEARTBEAT
    system.until(lambda: _delivered(system, ended), "the traces arrive", TRACES_S)


def _all_over(system: System) -> bool:
    try:
        begun = all(one.rollout for one in system.director.planned)
        return begun and not Rollout.objects.exclude(state__in=OVER).exists()
    except Error:
        connection.close()
        return False


def _delivered(system: System, ended: datetime) -> bool:
    """Both workers report, later than this, that nothing waits, and nothing is on disk."""
    try:
        idle = Replica.objects.filter(seen_at__gt=ended, queued=0).count()
    except Error:
        connection.close()
        return False
    return idle == WORKERS and not any(system.spool.iterdir())


def _problems(found: Mapping[str, Damage]) -> Iterator[str]:
    for victim, damage in found.items():
        of = f"after a kill of {victim}" if victim else "before any kill"
        for what, which in (("failed", damage.failed), ("lost", damage.lost), ("doubled", damage.doubled)):
            if which:
                yield f"{len(which)} {what} {of}: {'; '.join(which[:SHOWN])}"


def _row(victim: str, damage: Damage, kills: Sequence[Kill]) -> list[str]:
    down = [kill.down_s for kill in kills if kill.victim == victim]
    figures = len(down), len(damage.failed), damage.cut_off, len(damage.lost), damage.unsent, len(damage.doubled)
    times = (statistics.median(down), max(down)) if down else ()
    return [victim, *map(str, figures), *(f"{seconds:.1f}" for seconds in times), *(["–"] * (2 - len(times)))]
