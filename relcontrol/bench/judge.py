"""`manage.py bench judge`: a suite answered and judged by relcontrol itself, on the demo models.

The whole way is measured: asked for over HTTP, carried out by a worker process, judged to a verdict; then once more,
when every call is known. Beside it stand a bare loop that makes the same calls, and what no program can be below.
"""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.request import urlopen

from audit.administration.organizations import create_organization
from audit.administration.tokens import create_token
from relcontrol.accounts.actors import command_actor
from relcontrol.bench import figures
from relcontrol.bench.gate_processes import HOST, Web, free_port, judged, web, worker
from relcontrol.bench.gate_worker import Cost
from relcontrol.bench.gateway_processes import running, until_ready
from relcontrol.bench.judge_bare import bare_seconds
from relcontrol.bench.judge_calls import (
    Noted,
    ideal_seconds,
    in_flight_by_second,
    most_at_once,
    spread,
    tokens_of,
)
from relcontrol.bench.judge_server import CHAT, NOTED
from relcontrol.bench.judge_stage import JUDGE_MODEL, release_to_evaluate
from relcontrol.bench.options import Options
from relcontrol.bench.surroundings import settle
from relcontrol.bench.tables import Table
from relcontrol.demo.topics import TOPICS
from relcontrol.model_servers.spending import Spent
from releases.models import Release

AT_ONCE: Final = 32
SMALL: Final = 240  # cases; below, the bench is a test of itself, and the models answer at once
COLUMNS: Final = ("", "time", "calls", "in flight by second", "known", "tokens", "processor", "peak memory")


@dataclass(frozen=True, slots=True)
class Measured:
    """One evaluation: the run as the API tells it, what the worker took, and the calls that the server noted."""

    name: str
    members: dict[str, Any]
    seconds: float
    cost: Cost
    calls: Sequence[Noted]

    @property
    def spent(self) -> Spent:
        """What the product's books say."""
        spent = self.members["evaluation"]["spent"]
        return Spent.from_json(spent["answers"]) + Spent.from_json(spent["judge"])


def judge(options: Options) -> Iterator[Table]:
    """`options.size` cases in six slices, each answered once and scored once."""
    actor = command_actor(create_organization(slug="judge"))
    _, token = create_token(actor=actor, name="ci", scopes=["gates:write"])
    with _models(1.0 if options.size >= SMALL else 0.0) as address:
        release = release_to_evaluate(actor, f"{address}/v1", options.size)
        settle()
        with web(token) as server:
            first = _measured(server, "answered and judged", release, address, {})
            again = _measured(server, "the same again", release, address, {"dry_run": True}, first.calls)
        phases = _phases(first.calls)
        bare = bare_seconds(f"{address}{CHAT}", phases, AT_ONCE)
    yield _table(first, again, bare, options.size)


@contextmanager
def _models(latency: float) -> Iterator[str]:
    """The noting server's address."""
    port = free_port()
    with running([sys.executable, "-m", "relcontrol.bench.judge_server", str(port), str(latency)]) as process:
        until_ready(process, port, "/healthz")
        yield f"http://{HOST}:{port}"


def _measured(
    server: Web, name: str, release: Release, address: str, order: dict[str, Any], before: Sequence[Noted] = ()
) -> Measured:
    body = json.dumps({"concurrency": AT_ONCE, **order}).encode()
    with worker() as process:
        began = time.perf_counter()
        requested = server.call("POST", f"releases/{release.pk}/gate-runs", body)
        cost = judged(process, requested["gate_run_id"])
        seconds = time.perf_counter() - began
    members = server.call("GET", f"gate-runs/{requested['gate_run_id']}")
    return Measured(name, members, seconds, cost, _noted(address)[len(before) :])


def _noted(address: str) -> list[Noted]:
    with urlopen(f"{address}{NOTED}") as answer:  # noqa: S310 - the bench's own server
        return [Noted(**each) for each in json.load(answer)]


def _phases(calls: Sequence[Noted]) -> list[list[Noted]]:
    """Answers, then scores."""
    scores = [call for call in calls if json.loads(call.body)["model"] == JUDGE_MODEL]
    known = {id(call) for call in scores}
    return [[call for call in calls if id(call) not in known], scores]


def _table(first: Measured, again: Measured, bare: float, size: int) -> Table:
    ideal = ideal_seconds(first.calls, AT_ONCE)
    parts = zip(("  of it answers", "  of it scores"), _phases(first.calls), strict=True)
    rows = [_row(first), *(_part(*part) for part in parts), _row(again), *_peers(first, bare, ideal)]
    answering, scoring = map(_mean, _phases(first.calls))
    most = most_at_once(first.calls)
    notes = [
        f"{figures.count(size)} cases in {len(TOPICS)} slices; {AT_ONCE} calls at once, the most in one moment {most}",
        f"mean of an answer {answering} ms, of a score {scoring} ms",
        "in flight: least / middle / most of the means of each second",
        f"the bare loop keeps no books; the product took {first.seconds / bare:.2f} times its time",
        f"verdict: {first.members['verdict']}; cost by the product's books: {first.spent.cost.normalize():f}",
    ]
    return Table("Evaluation by relcontrol itself", COLUMNS, rows, notes, list(_problems(first, again)))


def _mean(calls: Sequence[Noted]) -> str:
    return figures.milliseconds(sum(call.took for call in calls) / max(1, len(calls)))


def _row(measured: Measured) -> Sequence[str]:
    spent = measured.spent
    return (
        measured.name,
        figures.seconds(measured.seconds),
        figures.count(spent.calls),
        spread(in_flight_by_second(measured.calls)),
        figures.count(spent.cached),
        figures.count(spent.tokens),
        figures.seconds(measured.cost.processor),
        figures.mebibytes(measured.cost.peak),
    )


def _part(name: str, calls: Sequence[Noted]) -> Sequence[str]:
    """The calls of one phase, from the first that came to the last that went."""
    took = max(call.ended for call in calls) - min(call.began for call in calls)
    flying = spread(in_flight_by_second(calls))
    tokens = figures.count(tokens_of(calls))
    return (name, figures.seconds(took), figures.count(len(calls)), flying, "", tokens, "", "")


def _peers(first: Measured, bare: float, ideal: float) -> list[Sequence[str]]:
    calls, tokens = figures.count(len(first.calls)), figures.count(tokens_of(first.calls))
    return [
        ("peer: a bare asyncio loop", figures.seconds(bare), calls, "", "", tokens, "", ""),
        (f"limit: calls × mean ÷ {AT_ONCE}", figures.seconds(ideal), calls, f"{AT_ONCE}.0", "", "", "", ""),
    ]


def _problems(first: Measured, again: Measured) -> Iterator[str]:
    """Where the product's books are not the server's, or a run did not end as it should."""
    for each in (first, again):
        if each.members["state"] != "done" or not each.members["verdict"]:
            yield f"{each.name}: the run ended in state {each.members['state']}"
        if (each.spent.calls, each.spent.tokens) != (len(each.calls), tokens_of(each.calls)):
            yield (
                f"{each.name}: {each.spent.calls} calls and {each.spent.tokens} tokens in the books, but the server "
                f"counted {len(each.calls)} and {tokens_of(each.calls)}"
            )
        if (most := most_at_once(each.calls)) > AT_ONCE:
            yield f"{each.name}: {most} calls were in flight at once, and {AT_ONCE} were allowed"
    if again.calls:
        yield f"{again.name}: {len(again.calls)} calls were made again, though each was known"
