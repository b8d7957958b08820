"""`manage.py bench report`: the PDF of an export, by its length: pages, seconds, peak memory."""

import resource
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import transaction

from audit.administration.organizations import create_organization
from audit.events import Event
from audit.exporting.exports import content_of, make_export, request_export
from audit.models import Export
from audit.receipts import Record, append
from audit.report.rendering import render_report
from audit.statement import ClosedApiWeights, DecisionInput, ReleaseRef
from relcontrol.accounts.actors import command_actor
from relcontrol.bench import figures
from relcontrol.bench.options import Options
from relcontrol.bench.processes import in_processes
from relcontrol.bench.tables import Table
from relcontrol.jobs.running import run

COLUMNS = ("report", "receipts", "gate runs", "pages", "time", "processor", "size", "peak memory", "of it grown")
SHARE_OF_RUNS = 20  # one gate run to so many receipts
SLICES = 6
SHARES = (0.1, 0.5, 1.0)
QUESTION = {"verdict": "pass", "ci90": ["0.61", "0.75"], "reasons": ["It is 0.69, which meets the limit of 0.65."]}
SLICE = {
    "verdict": "pass",
    "evidence": "proven",
    "cases": 188,
    "judge": "external:legal-judge@9",
    "agreement": QUESTION | {"source": "own", "rho": "0.69", "threshold": "0.65", "previous_rho": "0.68"},
    "quality": QUESTION | {"mean": "0.71", "floor": "0.63", "calibrated": True},
    "change": QUESTION | {"mean_difference": "0.01", "ci90": ["-0.02", "0.04"]},
}


@dataclass(frozen=True, slots=True)
class Cost:
    """What one rendering took; memory in bytes."""

    pages: int
    size: int
    seconds: float
    processor: float
    peak: int
    grown: int


def report(options: Options) -> Iterator[Table]:
    """A tenth, half and all of the receipts, of which every twentieth is a gate run of six slices."""
    yield measure(options.size)


def measure(size: int, shares: Sequence[float] = SHARES) -> Table:
    """One row for each length."""
    rows = [_row(max(SHARE_OF_RUNS, int(size * share)), number) for number, share in enumerate(shares)]
    notes = [
        "Rendered in a process of its own, from the JSON alone. Over 2,000 receipts or 40 gate runs a report grows no",
        "further: the rest is in the JSON that it has embedded.",
    ]
    return Table("Reports as PDF/A-3a", COLUMNS, rows, notes)


def _row(size: int, number: int) -> tuple[str, ...]:
    [document] = in_processes([partial(_document, f"report-{number}", size)])  # a parent that renders would grow
    [cost] = in_processes([partial(_measured, document)])
    return (
        f"report {number + 1}",
        figures.count(size),
        figures.count(size // SHARE_OF_RUNS),
        figures.count(cost.pages),
        figures.seconds(cost.seconds),
        figures.seconds(cost.processor),
        figures.mebibytes(cost.size),
        figures.mebibytes(cost.peak),
        figures.mebibytes(cost.grown),
    )


def _measured(document: bytes) -> Cost:
    before, began, busy = _peak(), time.perf_counter(), time.process_time()
    rendered = render_report(document)
    seconds, processor = time.perf_counter() - began, time.process_time() - busy
    return Cost(rendered.pages, len(rendered.content), seconds, processor, _peak(), _peak() - before)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * figures.KIBIBYTE


def _document(slug: str, size: int) -> bytes:
    """The JSON of an organization with so many receipts."""
    organization = create_organization(slug=slug, name="Northgate Legal")
    actor = command_actor(organization)
    with transaction.atomic():
        for number in range(1, size):
            append(actor, _gate_run(number) if number % SHARE_OF_RUNS == 0 else _change(number))
    export = request_export(actor=actor, scope={"organization": True}, with_report=False)
    run(Export.objects.filter(pk=export.pk), make_export)
    return b"".join(content_of(export))


def _change(number: int) -> Record:
    state: dict[str, Any] = {"slug": f"application-{number}", "name": f"Application {number}"}
    name = f"application-{number}"
    return Record(Event.APPLICATION_CHANGED, "renamed", "application", name, state, application=name)


def _gate_run(number: int) -> Record:
    slices = [SLICE | {"slice": f"slice-{index}", "name": f"Slice number {index}"} for index in range(SLICES)]
    state = {
        "number": number,
        "release": f"r{number}",
        "previous": f"r{number - 1}",
        "suite": "scored-qa-v3",
        "gate_run_sha256": f"{number:064x}",
        "slices": slices,
        "reasons": ["Every slice passes."],
    }
    about = ReleaseRef(f"{number:064x}")
    names = [f"slice-{index}" for index in range(SLICES)]
    inputs = [DecisionInput("agreement", "pass", name, "0.69", "0.65", ">=", "proven", 188) for name in names]
    weights = ClosedApiWeights("openai", "gpt-5")
    return Record(
        Event.GATE_PASSED,
        "passed",
        "gate_run",
        f"grn_{number}",
        state,
        application="legal-assistant",
        release=about,
        inputs=inputs,
        weights=weights,
    )
