"""Calibration runs as the design shows them: a status, a word, and the page where each can be found again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from gates.judge_models import CalibrationRun

STATES: Final[Mapping[str, tuple[str, str]]] = {
    CalibrationRun.State.QUEUED: ("running", "Waiting"),
    CalibrationRun.State.RUNNING: ("running", "Measuring"),
    CalibrationRun.State.DONE: ("pass", "Measured"),
    CalibrationRun.State.ERROR: ("fail", "Refused"),
    CalibrationRun.State.CANCELLED: ("skip", "Cancelled"),
}


@dataclass(frozen=True, slots=True)
class RunRow:
    """One line of a list."""

    run: CalibrationRun
    kind: str
    word: str


def run_rows(runs: Iterable[CalibrationRun]) -> list[RunRow]:
    """Lines for these runs."""
    return [RunRow(run, *STATES[run.state]) for run in runs]
