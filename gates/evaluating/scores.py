"""Having the answers of an evaluation scored, each by the judge of its slice; a score that cannot be had is missing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, cast

from gates.evaluating.judges import judged_leaves, judges_of_run
from gates.evaluating.progress import Evaluation
from gates.models import Judge
from gates.run_models import EvaluatedCase, GateRun
from gates.scoring.questions import Question, Scored, ScoreOrder
from gates.scoring.scoring import Scoring

WRITTEN_AT_ONCE: Final = 50
State = EvaluatedCase.State


def judge_by_leaf(run: GateRun) -> dict[str, Judge]:
    """The judge of each slice that has cases of its own."""
    judges = judges_of_run(run)
    return {leaf: judges[above] for leaf, above in judged_leaves(run).items()}


def score_all(evaluation: Evaluation, rows: Sequence[EvaluatedCase], judges: Mapping[str, Judge]) -> None:
    """Score these answers; each score is written as it comes."""
    for some in batches(evaluation, _orders(rows, judges)):
        _write(evaluation, some)


def batches(evaluation: Evaluation, orders: Iterable[ScoreOrder]) -> Iterator[list[Scored]]:
    """Scores within what is left of the budget, as they come; those of a batch are to be written together.

    What cost a call is handed out before the next calls end; what cost none may be done again, and can wait a little.
    """
    waiting: list[Scored] = []
    paid = False
    with Scoring(
        evaluation.run.organization,
        concurrency=evaluation.concurrency,
        budget=evaluation.budget,
        spent=evaluation.spent,
        cached=not evaluation.fresh,
    ) as judging:
        for scored in judging.run(orders):
            if scored is None:
                evaluation.keep()
                continue
            waiting.append(scored)
            paid = paid or scored.spent.calls > 0
            if (paid and not judging.ready) or len(waiting) >= WRITTEN_AT_ONCE:
                yield waiting
                waiting, paid = [], False
        if waiting:
            yield waiting


def note_stop(evaluation: Evaluation, scored: Scored) -> None:
    """A score that was not asked for, as the budget is used up, ends the evaluation early."""
    reason = evaluation.budget.reason_to_stop(evaluation.spent)
    if scored.score is None and reason is not None:
        evaluation.stop(reason)


def _orders(rows: Sequence[EvaluatedCase], judges: Mapping[str, Judge]) -> Iterator[ScoreOrder]:
    for row in rows:
        yield ScoreOrder(row.pk, judges[row.case.slice.slug], question_of(row, row.output or ""))


def question_of(row: EvaluatedCase, output: str) -> Question:
    """An answer to the case of a row."""
    return Question(row.case.input, output, row.case.reference)


def _write(evaluation: Evaluation, scored: Sequence[Scored]) -> None:
    for each in scored:
        evaluation.judge += each.spent
        note_stop(evaluation, each)
    with evaluation.writing(steps=len(scored)):
        for each in scored:
            EvaluatedCase.objects.filter(pk=cast("int", each.key), state=State.ANSWERED).update(**_columns(each))


def _columns(scored: Scored) -> dict[str, Any]:
    return {
        "state": State.SCORED,
        "score": scored.score,
        "draws": list(scored.draws),
        "reason": scored.reason,
        "problem": scored.problem,
        "judge_spent": scored.spent.as_json(),
    }
