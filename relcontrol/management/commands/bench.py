"""`manage.py bench`: how fast it is, measured in a database of its own that is removed afterwards."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from django.core.management.base import CommandError, CommandParser

from relcontrol.bench.api import api
from relcontrol.bench.chaos import chaos
from relcontrol.bench.evidence import evidence
from relcontrol.bench.gate import gate
from relcontrol.bench.gateway import gateway_bench
from relcontrol.bench.ingest import ingest
from relcontrol.bench.judge import judge
from relcontrol.bench.machine import description, load
from relcontrol.bench.observe import observe
from relcontrol.bench.options import Options
from relcontrol.bench.pages import pages
from relcontrol.bench.propagation import propagation
from relcontrol.bench.receipts import receipts
from relcontrol.bench.report import report
from relcontrol.bench.rollback import rollback
from relcontrol.bench.surroundings import throwaway
from relcontrol.bench.tables import Table
from relcontrol.commands import Command as BaseCommand

SMALLEST = 40
# What each does, and how many receipts (cases, requests, replicas, rows) and seconds it takes where none are given.
BENCHES: dict[str, tuple[str, Callable[[Options], Iterator[Table]], int, float]] = {
    "receipts": ("appends per second, export and verification; --mixed for mixed decisions", receipts, 10_000, 3),
    "evidence": ("the log: appends, proofs, all of it verified; weight files beside sha256sum", evidence, 1_000_000, 3),
    "pages": ("time and queries of every page and API list, and of a small organization's", pages, 100_000, 60),
    "gate": ("agreement of many slices beside SciPy, and a large gate run over HTTP", gate, 100_000, 60),
    "judge": ("a suite answered and judged by relcontrol itself, beside a bare loop", judge, 1_200, 60),
    "report": ("pages, time and memory of the PDF of an export", report, 2_000, 60),
    "api": ("random requests made from the OpenAPI schema", api, 200, 120),
    "gateway": ("latency, throughput and memory of the gateway beside LiteLLM", gateway_bench, 1_000, 5),
    "propagation": ("from a commit to the last of so many replicas", propagation, 100, 60),
    "ingest": ("traces a second over HTTP, OTLP and directly, beside plain COPY", ingest, 40_000, 60),
    "observe": ("look-ups of lineage among many traces, and what the observer costs", observe, 1_000_000, 60),
    "rollback": ("from the first bad answer to the last gateway that has drained", rollback, 100, 60),
    "chaos": ("SIGKILL of every process at random moments of rollouts under load", chaos, SMALLEST, 60),
}
RUNS = {"chaos": 200, "propagation": 20, "rollback": 20}
MEDIAN_OF = 3


class Command(BaseCommand):
    """Prints tables; ends with 1 where a bench found something broken."""

    help = "Measure. " + " ".join(f"{name}: {what}." for name, (what, *_) in BENCHES.items())
    example: ClassVar[str] = (
        "manage.py bench receipts\n  manage.py bench receipts --mixed 60\n"
        "  manage.py bench evidence --size 20000\n"
        "  manage.py bench pages --size 100000\n  manage.py bench api --seconds 300\n"
        "  manage.py bench gate --size 10000\n  manage.py bench judge --size 48\n"
        "  manage.py bench gateway --size 200 --seconds 1 --runs 1\n"
        "  manage.py bench rollback\n  manage.py bench rollback --seconds 10 --runs 4\n"
        "  manage.py bench chaos --runs 200 --seed 7"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """What, how much, how long."""
        parser.add_argument("name", choices=BENCHES)
        parser.add_argument("--size", type=int, help=f"receipts, cases, requests, replicas or rows, {SMALLEST} or more")
        parser.add_argument(
            "--seconds", type=float, help="of one measurement, for api and pages of the whole, for rollback of a window"
        )
        parser.add_argument("--runs", type=int, help="measurements of which the median counts; kills of chaos")
        parser.add_argument("--seed", type=int, default=0, help="of what chaos kills and when (default: %(default)s)")
        parser.add_argument("--mixed", type=float, default=0, help="seconds of mixed decisions, in place of the rest")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure in a throw-away database."""
        _, bench, size, seconds = BENCHES[options["name"]]
        size, seconds = options["size"] or size, options["seconds"] or seconds
        runs = RUNS.get(options["name"], MEDIAN_OF) if options["runs"] is None else options["runs"]
        if size < SMALLEST or min(seconds, runs) <= 0 or options["mixed"] < 0:
            raise CommandError(f"--size is {SMALLEST} or more; --seconds and --runs are more than 0.")
        with _quiet():
            problems = self._measure(bench, Options(size, seconds, runs, options["mixed"], options["seed"]))
        if problems:
            raise CommandError("\n".join(["This is broken:", *problems]))

    def _measure(self, bench: Callable[[Options], Iterator[Table]], options: Options) -> list[str]:
        """Print the tables; what they found broken."""
        average, before = os.getloadavg(), load()
        problems: list[str] = []
        with throwaway() as name:
            self.stderr.write(f"measuring in the throw-away database {name}")
            for table in bench(options):
                self._write(table)
                problems += table.problems
            self._write(description(before, average))
        return problems

    def _write(self, table: Table) -> None:
        self.stdout.write(table.text())
        self.stdout.flush()


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the log of every refused request."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
