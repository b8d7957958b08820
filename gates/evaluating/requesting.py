"""Asking for a gate run that relcontrol carries out itself: pinned as any other, with the previous release beside it.

What can be seen before anything is paid for is refused here: a judge that only works elsewhere, a verdict that stands
already, a suite of which no slice is judged. Cases become rows when the job begins.
"""

from dataclasses import replace
from typing import Any, Final

from django.db import transaction

from gates.evaluating.judges import judged_leaves, judges_of_run
from gates.evaluating.order import EvaluationOrder
from gates.evaluating.progress import halved, new_evaluation
from gates.run_models import CaseResult, GateRun
from gates.runs.candidate import Candidate
from gates.runs.gathering import comparable_run, digest_of_grades, grades_in
from gates.runs.reading import MAX_RESULTS
from gates.runs.recording import already_judged, decided_already
from gates.runs.requesting import MATCH, locked_application, numbered, pinned_run, same_requests
from gates.scoring.scorers import can_score, scorer_of
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.permissions import WRITE_GATES
from relcontrol.errors import FieldError, Invalid, invalid
from relcontrol.jobs.models import LeasedJob

OPEN: Final = (LeasedJob.State.QUEUED, LeasedJob.State.RUNNING)
MOST_NAMED: Final = 5
MOST_MISSING: Final = 0.05


@transaction.atomic
def request_evaluation(
    *, actor: Actor, candidate: Candidate, order: EvaluationOrder, previous: Candidate | None, without: str = ""
) -> GateRun:
    """A queued run, or the one that was asked for in the same words and is still right.

    `previous` is evaluated on the same cases first, where it has no scores to compare with. It is None where nothing
    can answer for it, and `without` then the sentence that says why.
    """
    actor.require(WRITE_GATES)
    application = locked_application(candidate)
    run = _prepared(actor, candidate, order)
    if same := _same_evaluation(run, fresh=order.fresh):
        return same
    _refuse_a_second_verdict(run, fresh=order.fresh)
    if run.previous_manifest_sha256 and not _is_compared(run):
        run.baseline = _open_baseline(run)
        if run.baseline is None and previous is not None:
            run.baseline = numbered(_prepared(actor, previous, _of_baseline(run, order)), application)
        if run.baseline is None:
            run.evaluation = (run.evaluation or {}) | {"without_previous": without or None}
    return numbered(run, application)


def _prepared(actor: Actor, candidate: Candidate, order: EvaluationOrder) -> GateRun:
    run = pinned_run(actor, candidate, order.as_run_order())
    run.parity, run.body_sha256, run.evaluation = MATCH, order.sha256(), new_evaluation(order)
    _require_judges_that_can_be_asked(run)
    answers = order.samples * sum(run.suite.slice_counts[leaf] for leaf in judged_leaves(run))
    if not answers:
        message = f"No slice that has cases in {run.suite.name} has a threshold, so nothing would be judged. Set one."
        raise invalid("suite", message, code="nothing_judged")
    if answers > MAX_RESULTS:
        message = f"These would be {answers:,} answers; at most {MAX_RESULTS:,} are judged at once."
        raise invalid("samples", message, code="too_many")
    run.progress_of = 2 * answers
    return run


def _of_baseline(run: GateRun, order: EvaluationOrder) -> EvaluationOrder:
    """The same of the previous release, without effect on it, for at most half of what may be spent."""
    return replace(order, suite=run.suite.pk, budget=halved(order.budget), dry_run=True)


def _require_judges_that_can_be_asked(run: GateRun) -> None:
    judges = judges_of_run(run)
    said = {slug: sentence for slug, judge in judges.items() if (sentence := can_score(judge))}
    if not said:
        for judge in judges.values():
            scorer_of(judge)  # `Conflict` where the secret of its server is not here
        return
    names = ", ".join(sorted(said)[:MOST_NAMED])
    message = (
        f"relcontrol cannot score the answers of {names}. {' '.join(sorted(set(said.values()))[:MOST_NAMED])} Send "
        "`results` with the scores, or give these slices a judge of rules or of a model."
    )
    errors = [FieldError("judge", f"{slug}: {sentence}") for slug, sentence in sorted(said.items())]
    raise Invalid(message, code="judge_works_elsewhere", errors=errors)


def _same_evaluation(run: GateRun, *, fresh: bool) -> GateRun | None:
    """One that is open; or one that decided, unless fresh answers are wanted or grades have come since.

    What was held is tried again: what was missing may be there by now, and answers that are known cost nothing.
    """
    known = same_requests(run).first()
    if known is None or known.state != LeasedJob.State.DONE:
        return known
    if fresh or known.verdict == GateRun.Verdict.HOLD:
        return None
    return known if _graded_as_now(known) else None


def _refuse_a_second_verdict(run: GateRun, *, fresh: bool) -> None:
    """Before it costs anything: only the very same answers with more grades may be judged again."""
    earlier = None if run.dry_run else decided_already(run)
    if earlier and (fresh or earlier.evaluation is None or _graded_as_now(earlier)):
        raise already_judged(earlier)


def _graded_as_now(run: GateRun) -> bool:
    return digest_of_grades(grades_in(run.suite)) == run.ratings_sha256


def _is_compared(run: GateRun) -> bool:
    """Whether the previous release has scores of the same judges on these cases."""
    earlier = comparable_run(run.organization, run.previous_manifest_sha256, run.suite)
    return earlier is not None and _same_judges(earlier.judges, run) and not _is_full_of_holes(earlier)


def _is_full_of_holes(run: GateRun) -> bool:
    """Whether an evaluation has left out more than may be missing: a second try may do better."""
    if run.evaluation is None:
        return False
    results = CaseResult.objects.filter(run=run)
    return results.filter(score=None).count() > MOST_MISSING * results.count()


def _open_baseline(run: GateRun) -> GateRun | None:
    """A run of the previous release that will have such scores: somebody has asked for one already."""
    rows = GateRun.objects.filter(
        organization=run.organization,
        manifest_sha256=run.previous_manifest_sha256,
        suite__sha256=run.suite.sha256,
        state__in=OPEN,
    )
    return next((row for row in rows.order_by("pk") if _same_judges(row.judges, run)), None)


def _same_judges(judges: dict[str, Any], run: GateRun) -> bool:
    return all(judges.get(slug) == sha256 for slug, sha256 in run.judges.items())
