"""A large gate run over HTTP, from the first byte of the results to the verdict: a cold start, then a comparison.

Ten slices below one that is judged too, so that every case counts twice; every answer is graded by one person.
"""

import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from audit.administration.applications import create_application, create_route
from audit.administration.organizations import create_organization
from audit.administration.tokens import create_token
from gates.models import SuiteImport
from gates.slices.services import create_slice
from gates.suites import import_suite, request_import
from relcontrol.accounts.actors import Actor, command_actor
from relcontrol.bench import figures
from relcontrol.bench.gate_processes import Web, judged, web, worker
from relcontrol.bench.gate_worker import PHASES, Cost
from relcontrol.bench.options import Options
from relcontrol.bench.surroundings import settle
from relcontrol.bench.tables import Table
from relcontrol.jobs.running import run
from releases.models import Release
from releases.registry.order import Order
from releases.registry.registration import register

SLICES = 10
ABOVE, SUITE = "everything", "scored-qa-v1"
JUDGE = "external:bench-judge@1"
THRESHOLD = Decimal("0.65")
SEED = 20_260_727
NOISE = 0.15
WARM_UP = 10  # requests after which each process of the web has answered one
COLUMNS = ("run", "send", *PHASES, "in to verdict", "rows", "processor", "peak: judge", "peak: web")


@dataclass(frozen=True, slots=True)
class Measured:
    """One run: what was sent, the verdict, the seconds of sending and of all, and what the processes took."""

    name: str
    size: int
    members: dict[str, Any]
    sending: float
    seconds: float
    cost: Cost
    web_peak: int


def run_table(options: Options) -> Table:
    """One row for each run."""
    count = options.size
    actor = command_actor(create_organization(slug="gate"))
    first, second = _prepared(actor, count)
    _, token = create_token(actor=actor, name="ci", scopes=["gates:write"])
    settle()
    with web(token) as server:
        for _ in range(WARM_UP):
            server.call("GET", "gate-runs")
        runs = [_measured(server, "cold start", first, _body(first, count, 0.0))]
        settle()
        runs.append(_measured(server, "with a previous release", second, _body(second, count, 0.02)))
    return Table(
        f"Gate run: {figures.count(count)} graded answers to {figures.count(count)} cases in {SLICES} slices and one "
        "above them",
        COLUMNS,
        [_row(each, count) for each in runs],
        [_note(each) for each in runs],
        [f"{each.name}: the run ended in state {each.members['state']}" for each in runs if not _is_done(each)],
    )


def _row(measured: Measured, count: int) -> Sequence[str]:
    phases = [figures.seconds(measured.cost.phases.get(phase, 0.0)) for phase in PHASES]
    rate, peaks = figures.rate(count, measured.seconds), (measured.cost.peak, measured.web_peak)
    return (
        measured.name,
        figures.seconds(measured.sending),
        *phases,
        figures.seconds(measured.seconds),
        rate,
        figures.seconds(measured.cost.processor),
        *map(figures.mebibytes, peaks),
    )


def _note(measured: Measured) -> str:
    members = measured.members
    slices, cases = len(members.get("slices") or []), members.get("cases") or {}
    sent, flagged = figures.mebibytes(measured.size), figures.count(cases.get("flagged_count", 0))
    return f"{measured.name}: {sent} sent, {members.get('verdict')}, {slices} slices, {flagged} cases flagged"


def _is_done(measured: Measured) -> bool:
    return bool(measured.members["state"] == "done" and measured.members["verdict"])


def _measured(server: Web, name: str, release: Release, body: bytes) -> Measured:
    with worker() as process:
        began = time.perf_counter()
        requested = server.call("POST", f"releases/{release.pk}/gate-runs", body)
        sending = time.perf_counter() - began
        cost = judged(process, requested["gate_run_id"])
        members = server.call("GET", f"gate-runs/{requested['gate_run_id']}")
        seconds = time.perf_counter() - began
    return Measured(name, len(body), members, sending, seconds, cost, server.peak())


def _prepared(actor: Actor, count: int) -> tuple[Release, Release]:
    """Slices, a suite and two releases of one route, the second on the first."""
    application = create_application(actor=actor, slug="assistant")
    create_route(actor=actor, application=application, routing={"domain": "legal"})
    create_slice(actor=actor, slug=ABOVE, threshold=THRESHOLD)
    for number in range(SLICES):
        create_slice(actor=actor, slug=_slug(number), parent=ABOVE, threshold=THRESHOLD)
    row = request_import(actor=actor, name=SUITE, body=_cases(count), file_format="jsonl", scale=(0.0, 1.0))
    run(SuiteImport.objects.filter(pk=row.pk), import_suite)
    first = _registered(actor, 1, None)
    return first, _registered(actor, 2, first.pk)


def _registered(actor: Actor, number: int, previous: str | None) -> Release:
    ref = f"templates/bench@v{number}"
    order = Order(
        model_ref="Divinci-AI/gemma-4-e2b@a7c91f",
        prompt_template_ref=ref,
        routing={"domain": "legal"},
        dataset_version=SUITE,
        previous_release=previous,
        artifacts=[{"ref": ref, "value": {"kind": "prompt_template", "system": f"Edition {number}."}}],
    )
    return register(actor=actor, order=order).release


def _slug(number: int) -> str:
    return f"slice-{number % SLICES}"


def _cases(count: int) -> bytes:
    cases = (
        {"case_id": f"c{number:06}", "slice": _slug(number), "input": f"Question {number}?"} for number in range(count)
    )
    return "\n".join(map(json.dumps, cases)).encode()


def _body(release: Release, count: int, better: float) -> bytes:
    """Grades on 0 to 1 in steps, and a judge that follows them loosely; `better` is added to every score."""
    chance = random.Random(SEED + release.number)  # noqa: S311 - scores of a bench are no secret
    rows = []
    for number in range(count):
        grade = chance.randrange(21) / 20
        score = min(1.0, max(0.0, grade + better + chance.gauss(0.0, NOISE)))
        rows.append(
            {
                "case_id": f"c{number:06}",
                "output": f"Answer {number} of edition {release.number}: not without the licensor's consent.",
                "score": round(score, 3),
                "human_scores": [grade],
                "latency_ms": round(chance.uniform(300, 900), 1),
                "input_tokens": 400 + number % 50,
                "output_tokens": 80 + number % 30,
            }
        )
    order = {"judge": JUDGE, "scale": [0, 1], "parity": release.bundle_sha256, "results": rows}
    return json.dumps(order).encode()
