"""The rows of an evaluation: one for each answer that is wanted, each step of it written once under the run's fence."""

from collections.abc import Iterator, Sequence
from typing import Final

from django.db.models import QuerySet

from gates.evaluating.judges import judged_leaves
from gates.evaluating.progress import Evaluation
from gates.models import SuiteCase
from gates.run_models import EvaluatedCase, GateRun
from gates.suite_rows import copy_rows

State = EvaluatedCase.State
COLUMNS: Final = ("run_id", "case_id", "sample", "state", "reason", "problem", "spent", "judge_spent")
LEAST_BLOCK: Final = 16


def make_rows(evaluation: Evaluation) -> None:
    """A row for every answer to every case that somebody judges, unless an earlier attempt has made them.

    Cases beyond the budget's number are there without an answer, which says why.
    """
    run = evaluation.run
    if rows_of(run).exists():
        return
    leaves = judged_leaves(run)
    cases = SuiteCase.objects.filter(suite=run.suite, slice__slug__in=leaves).order_by("slice__slug", "case_id")
    keys = list(cases.values_list("pk", flat=True))
    samples, most = evaluation.told["samples"], evaluation.budget.cases or len(keys)
    with evaluation.writing() as row:
        copy_rows(
            EvaluatedCase,
            COLUMNS,
            (
                (run.pk, key, sample, *_begun(beyond(evaluation) if place >= most else ""))
                for place, key in enumerate(keys)
                for sample in range(samples)
            ),
        )
        row.progress_of = 2 * samples * min(len(keys), most)


def beyond(evaluation: Evaluation) -> str:
    """Why a case is not answered that is one too many."""
    return f"The budget of {evaluation.budget.cases:,} cases is used up."


def _begun(problem: str) -> tuple[str, str, str, str, str]:
    return (State.FAILED if problem else State.WAITING).value, "", problem, "{}", "{}"


def rows_of(run: GateRun) -> QuerySet[EvaluatedCase]:
    """Every row of a run, slice by slice, in the order in which they are worked on."""
    return EvaluatedCase.objects.filter(run=run).order_by("pk")


def blocks(evaluation: Evaluation) -> Iterator[tuple[int, int]]:
    """First and last row (by key) of what is answered and scored before the next begins.

    All at once is quickest. Where tokens or money are limited it is a few at a time: a budget that runs out then leaves
    whole slices behind, answered and scored, rather than answers that nobody can afford to score.
    """
    keys = list(rows_of(evaluation.run).values_list("pk", flat=True))
    limited = evaluation.budget.tokens is not None or evaluation.budget.cost is not None
    size = max(LEAST_BLOCK, 2 * evaluation.concurrency) if limited else max(1, len(keys))
    for start in range(0, len(keys), size):
        block = keys[start : start + size]
        yield block[0], block[-1]


def in_state(run: GateRun, block: tuple[int, int], state: EvaluatedCase.State) -> list[EvaluatedCase]:
    """The rows of a block in one state, each with its case."""
    return list(rows_of(run).filter(pk__range=block, state=state).select_related("case", "case__slice"))


def fail_rest(evaluation: Evaluation, rows: Sequence[EvaluatedCase], problem: str) -> None:
    """Mark answers that will not be asked for any more."""
    with evaluation.writing(steps=len(rows), overall=2 * len(rows)):
        waiting = EvaluatedCase.objects.filter(pk__in=[row.pk for row in rows], state=State.WAITING)
        waiting.update(state=State.FAILED, problem=problem)
