"""A gate run's state as the design shows it: a status and a word. Pure but for the row."""

from typing import Final

from gates.run_models import GateRun
from gates.scorecards.words import VERDICT_WORDS

VERDICT_STATUS: Final = {"gate_pass": "pass", "gate_hold": "hold", "gate_fail": "fail"}
STATE_STATUS: Final = {
    GateRun.State.QUEUED: ("running", "Waiting"),
    GateRun.State.RUNNING: ("running", "Running"),
    GateRun.State.ERROR: ("fail", "Refused"),
    GateRun.State.CANCELLED: ("skip", "Cancelled"),
}


def status_of(run: GateRun) -> tuple[str, str]:
    """Status and word of a run; of one that is done, its verdict's."""
    if run.state == GateRun.State.DONE:
        return VERDICT_STATUS[run.verdict], VERDICT_WORDS[run.verdict]
    return STATE_STATUS[GateRun.State(run.state)]


def took(run: GateRun) -> str:
    """`13 min 8 s`."""
    if run.finished_at is None:
        return ""
    seconds = max(0.0, (run.finished_at - run.created_at).total_seconds())
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (rest, "s")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count)
