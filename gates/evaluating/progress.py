"""How far an evaluation has come: its phase, what it has spent, and why it stopped early. Kept in `GateRun.evaluation`.

Counting and results are written in one transaction under the run's fence, so that what is told is what is stored.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from gates.evaluating.order import EvaluationOrder
from gates.run_models import GateRun
from relcontrol.clock import now
from relcontrol.jobs.leases import LEASE, Lease
from relcontrol.model_servers.spending import Budget, Spent

RENEW_EVERY: Final = timedelta(seconds=2)  # also how soon a worker notices that its run was cancelled

Phase = Literal["answering", "scoring", "rescoring", "done"]
Side = Literal["answers", "judge"]


def new_evaluation(order: EvaluationOrder) -> dict[str, Any]:
    """The record of an evaluation that nobody has begun."""
    return {
        "samples": order.samples,
        "budget": order.budget.as_json(),
        "concurrency": order.concurrency,
        "fresh": order.fresh,
        "phase": "answering",
        "done": 0,
        "of": 0,
        "spent": {"answers": Spent().as_json(), "judge": Spent().as_json()},
        "stopped": None,
        "without_previous": None,
    }


def is_evaluated(run: GateRun) -> bool:
    """Whether the results of a run are there: they were sent, or all that relcontrol had to ask was asked."""
    return run.evaluation is None or run.evaluation["phase"] == "done"


def spent_on(run: GateRun | None) -> Spent:
    """What the answers and scores of a run have cost."""
    if run is None or run.evaluation is None:
        return Spent()
    spent = run.evaluation["spent"]
    return Spent.from_json(spent["answers"]) + Spent.from_json(spent["judge"])


def _spent_before(baseline: GateRun | None) -> Spent:
    """What was spent for this run before it began; a run that somebody wanted for itself is none of its expenses."""
    return spent_on(baseline) if baseline is not None and baseline.dry_run else Spent()


def timed_unlike(run: GateRun, previous: GateRun) -> str:
    """Why the latencies of two runs say nothing about each other, as a sentence; empty where they do.

    How long an answer takes depends on how many are asked for at once, and on who holds the watch.
    """
    new, old = (_at_once(each) for each in (run, previous.carried_from or previous))
    if new == old:
        return ""
    if new is None or old is None:
        return "Not compared: relcontrol timed the answers of one release, a pipeline those of the other."
    return f"Not compared: the previous release was asked with {old} calls at once, this one with {new}."


def _at_once(run: GateRun) -> int | None:
    return run.evaluation["concurrency"] if run.evaluation else None


@dataclass
class Evaluation:
    """One worker's hold on an evaluation. Its budget is also that of the baseline, whose spending counts."""

    lease: Lease[GateRun]
    told: dict[str, Any]
    answers: Spent
    judge: Spent
    before: Spent
    renewed: datetime

    @classmethod
    def of(cls, lease: Lease[GateRun]) -> "Evaluation":
        """The evaluation that a run's row tells of."""
        told = dict(lease.job.evaluation or {})
        spent = {side: Spent.from_json(told["spent"][side]) for side in ("answers", "judge")}
        return cls(lease, told, spent["answers"], spent["judge"], _spent_before(lease.job.baseline), now())

    @property
    def run(self) -> GateRun:
        """The run as it was when the lease was taken."""
        return self.lease.job

    @property
    def concurrency(self) -> int:
        """How many calls may be in flight."""
        return int(self.told["concurrency"])

    @property
    def fresh(self) -> bool:
        """Whether known answers are to be asked for again."""
        return bool(self.told["fresh"])

    @property
    def budget(self) -> Budget:
        """What may be spent, the baseline included."""
        return Budget.from_json(self.told["budget"])

    @property
    def spent(self) -> Spent:
        """What was spent, the baseline included."""
        return self.before + self.answers + self.judge

    @property
    def stopped(self) -> str | None:
        """Why it stopped early, as a sentence."""
        sentence: str | None = self.told["stopped"]
        return sentence

    def reason_to_stop(self) -> str | None:
        """Why no further call may be made."""
        return self.stopped or self.budget.reason_to_stop(self.spent)

    def stop(self, sentence: str) -> None:
        """Note why the rest is left out; the first sentence stays."""
        self.told["stopped"] = self.stopped or sentence

    def enter(self, phase: Phase, done: int, of: int) -> None:
        """Begin a phase, of which so many steps are done already."""
        self.told |= {"phase": phase, "done": done, "of": of}
        with self.writing():
            pass

    @contextmanager
    def writing(self, *, steps: int = 0, overall: int | None = None) -> Iterator[GateRun]:
        """A transaction under the fence in which so many steps become done, with all that was spent by then.

        `overall` are those of the whole evaluation, where they are not the same.
        """
        at = now()
        with self.lease.writing() as run:
            yield run
            self.told["done"] += steps
            self.told["spent"] = {"answers": self.answers.as_json(), "judge": self.judge.as_json()}
            run.evaluation, run.lease_until = self.told, at + LEASE
            run.progress_done += steps if overall is None else overall
            run.save(update_fields=["evaluation", "lease_until", "progress_done", "progress_of"])
        self.renewed = at

    def keep(self) -> None:
        """Renew the lease now and then, also while nothing is written. Raises where the run was cancelled."""
        at = now()
        if at - self.renewed >= RENEW_EVERY:
            self.lease.keep(at)
            self.renewed = at


def halved(budget: Budget) -> Budget:
    """What a baseline may spend at most: the same cases of another release cost about as much."""
    tokens = None if budget.tokens is None else max(1, budget.tokens // 2)
    return replace(budget, tokens=tokens, cost=None if budget.cost is None else budget.cost / 2)
