"""How far relcontrol has come with a run that it answers and judges itself, and what that has cost, in words."""

from dataclasses import dataclass
from typing import Any, Final

from gates.evaluating.progress import spent_on
from gates.pages.spending import spent_words
from gates.run_models import GateRun
from relcontrol.model_servers.spending import Spent

PHASES: Final = {
    "answering": ("The release answers the cases", "answers"),
    "scoring": ("The judges score the answers", "scores"),
    "rescoring": ("Answers that got worse are scored again", "cases"),
    "done": ("Everything is answered and scored; the slices are judged", "results"),
}


@dataclass(frozen=True, slots=True)
class Stand:
    """How an evaluation stands; `first` is the run of the previous release while that one is being evaluated."""

    title: str
    unit: str
    done: int
    of: int
    spent: str
    stopped: str
    first: GateRun | None


def stand_of(run: GateRun) -> Stand | None:
    """How far it is; None for a run whose results were sent."""
    if run.evaluation is None:
        return None
    waits = run.baseline is not None and not run.baseline.is_over and run.state == GateRun.State.QUEUED
    told: dict[str, Any] = (run.baseline.evaluation if waits and run.baseline else None) or run.evaluation
    title, unit = PHASES[told["phase"]]
    return Stand(
        title=title,
        unit=unit,
        done=told["done"],
        of=told["of"],
        spent=spent_words(spent_on(run.baseline) + spent_on(run)),
        stopped=told.get("stopped") or "",
        first=run.baseline if waits else None,
    )


def steps_of(run: GateRun) -> int:
    """A number that grows with everything that is shown of an evaluation; 0 where results were sent."""
    if run.evaluation is None:
        return 0
    before = run.baseline.progress_done if run.baseline else 0
    return before + sum(_asked(spent_on(row)) for row in (run, run.baseline))


def _asked(spent: Spent) -> int:
    return spent.calls + spent.cached
