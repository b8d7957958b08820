"""Scoring flagged cases again, both releases' answers (statistics.md R9); each fresh score is written as it comes."""

from collections.abc import Mapping, Sequence
from typing import cast

from gates.evaluating.flagging import NEW, OLD, Flagged, flagged_in
from gates.evaluating.progress import Evaluation
from gates.evaluating.scores import batches, note_stop
from gates.run_models import EvaluatedCase
from gates.scoring.questions import Scored


def rescore_flagged(evaluation: Evaluation) -> None:
    """Score every flagged case again, unless the budget is used up: then it stays flagged and unconfirmed."""
    found = flagged_in(evaluation.run) if evaluation.reason_to_stop() is None else []
    evaluation.enter("rescoring", sum(map(_done, found)), sum(sum(1 for _ in each.wanted()) for each in found))
    rows = {each.row.pk: each.row for each in found}
    orders = (order for each in found for order in each.orders(fresh=evaluation.fresh))
    for some in batches(evaluation, orders):
        _write(evaluation, rows, some)


def _done(flagged: Flagged) -> int:
    return sum(len(getattr(flagged.row, side) or {}) for side in (NEW, OLD))


def _write(evaluation: Evaluation, rows: Mapping[int, EvaluatedCase], scored: Sequence[Scored]) -> None:
    changed: set[int] = set()
    for each in scored:
        key, side, name = cast("tuple[int, str, str]", each.key)
        setattr(rows[key], side, {**(getattr(rows[key], side) or {}), name: each.score})
        evaluation.judge += each.spent
        note_stop(evaluation, each)
        changed.add(key)
    with evaluation.writing(steps=len(scored), overall=0):
        for key in sorted(changed):
            EvaluatedCase.objects.filter(pk=key).update(**{side: getattr(rows[key], side) for side in (NEW, OLD)})
