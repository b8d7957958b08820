"""From the first bad answer to the last gateway that has drained, in a whole installation with nobody acting.

Two applications begin to serve a release that is as quick and as free of errors as the one before, but answers badly:
one sends everybody to an attorney, the other invents dates. Quality windows are as long as in life, unless asked for
shorter ones. Every number is that of the product's own timeline.
"""

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from django.db import Error, connection

from audit.models import Receipt
from relcontrol.bench import figures
from relcontrol.bench.chaos_cluster import HOST
from relcontrol.bench.chaos_stage import Stage
from relcontrol.bench.chaos_start import running_system
from relcontrol.bench.chaos_system import System
from relcontrol.bench.chaos_traffic import KEY_VARIABLE, Outcome, read_outcomes
from relcontrol.bench.options import Options
from relcontrol.bench.rollback_stage import Line, set_stage
from relcontrol.bench.tables import Table
from releases.observer_models import ObservedSlice
from releases.rolling.following import timeline_of
from releases.rollout_models import Rollback

RATE: Final = 4.0
HEALTHY: Final = "steady"
FAILURES: Final[Mapping[str, str]] = {"hedging": "silent hedging", "dates": "impossible dates"}
TARGET_S: Final = 300.0
MORE_WINDOWS: Final = 8  # so many windows are waited for beyond the first one
SETTLING_S: Final = 60.0
WINDOW_VARIABLE: Final = "RELCONTROL_WINDOW_SECONDS"
SHORTEST_S, LONGEST_S = 10, 60
COLUMNS: Final = ("what went wrong", "bad answers", "decided", "committed", "acknowledged", "drained", "target", "met")


def detection(options: Options) -> Iterator[Table]:
    """A table with windows of `options.seconds`, of which there are 10 to 60."""
    window = int(min(LONGEST_S, max(SHORTEST_S, options.seconds)))
    lines: list[Line] = []

    def ground(upstream: str) -> Stage:
        stage, made = set_stage(upstream, [(HEALTHY, model) for model in FAILURES])
        lines.extend(made)
        return stage

    with (
        _windows_of(window),
        tempfile.TemporaryDirectory(prefix="relcontrol-rollback-") as folder,
        running_system(Path(folder).resolve(), rate=RATE, ground=ground, directed=False) as system,
    ):
        others = _other_clients(system, lines[1])
        patience = SETTLING_S + MORE_WINDOWS * window
        _await(system, patience)
        yield _table(system, lines, [*system.outcomes(), *read_outcomes(others)], window)


@contextmanager
def _windows_of(seconds: int) -> Iterator[None]:
    """What is started meanwhile has quality windows of this length."""
    before = os.environ.get(WINDOW_VARIABLE)
    os.environ[WINDOW_VARIABLE] = str(seconds)
    try:
        yield
    finally:
        if before is None:
            del os.environ[WINDOW_VARIABLE]
        else:
            os.environ[WINDOW_VARIABLE] = before


def _other_clients(system: System, line: Line) -> Path:
    """Clients of the second application; what they see is in the file."""
    said = system.cluster.folder / "others.jsonl"
    given = [f"http://{HOST}:{system.gateway_port}", str(RATE), str(said), "1000000"]
    command = [sys.executable, "-m", "relcontrol.bench.chaos_traffic", *given]
    system.fleet.start("others", command, system.cluster.environment() | {KEY_VARIABLE: line.key})
    return said


def _await(system: System, patience_s: float) -> None:
    """Until both have come through, or it is clear that they do not."""
    try:
        system.until(lambda: _come_through() == len(FAILURES), "both are rolled back", patience_s)
    except RuntimeError:
        return


def _come_through() -> int:
    try:
        return Rollback.objects.exclude(reconciled_receipt_hash="").count()
    except Error:
        connection.close()
        return 0


def _table(system: System, lines: list[Line], outcomes: list[Outcome], window: int) -> Table:
    made = [(words, line) for words, line in zip(FAILURES.values(), lines, strict=True)]
    problems = list(_problems(system, made))
    return Table(
        f"A release that goes wrong quietly, with windows of {window} s and {RATE:g} requests a second",
        COLUMNS,
        [_row(words, line, outcomes) for words, line in made],
        notes=[
            "Seconds since the first breached window began. bad answers: all that the release gave to anybody.",
            *problems,
        ],
        problems=problems,
    )


def _row(words: str, line: Line, outcomes: list[Outcome]) -> tuple[str, ...]:
    given = sum(bool(one.release) and line.left.manifest_sha256.startswith(one.release) for one in outcomes)
    row = Rollback.objects.select_related("left").filter(route=line.route).first()
    times = {each.word: each.seconds_since_trigger for each in timeline_of(row)} if row else {}
    drained = times.get("drained")
    shown = (times.get(word) for word in ("decided", "committed", "acknowledged", "drained"))
    return (
        words,
        figures.count(given),
        *("–" if value is None else figures.seconds(value) for value in shown),
        f"≤ {TARGET_S:g} s",
        "met" if drained is not None and drained <= TARGET_S else "missed",
    )


def _problems(system: System, made: list[tuple[str, Line]]) -> Iterator[str]:
    for words, line in made:
        rows = list(Rollback.objects.filter(route=line.route))
        if [(row.trigger, row.target_id) for row in rows] != [(Rollback.Trigger.WINDOWS, line.kept.pk)]:
            why = ObservedSlice.objects.filter(observer__route=line.route).values_list("why", flat=True)
            yield f"{words}: {len(rows)} rollbacks where there must be one automatic one. {' '.join(why)}"
    receipts = Receipt.objects.filter(organization=system.stage.organization, event="rollback.auto").count()
    if receipts != len(made):
        yield f"{receipts} receipts rollback.auto where there must be {len(made)}"
