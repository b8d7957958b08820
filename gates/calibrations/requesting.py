"""Asking for a calibration: which judge on whose grades, in which slices; cancelling one (statistics.md R10).

What can be refused without asking the judge is refused here: a suite without grades, a judge that works elsewhere
without its scores, scores of answers that nobody graded.
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from django.db import transaction

from gates.calibrations.panels import GradedRow, graded_answers, line_of, parents_of
from gates.calibrations.scores import read_scores
from gates.calibrations.selectors import calibration_named
from gates.calibrations.standing import EXTERNAL_KIND
from gates.calibrations.working import calibrate_judge
from gates.judge_models import CalibrationRun
from gates.judges import DEFAULT_RULES, scale_of
from gates.models import Judge, Slice, Suite
from gates.requesters import how_known
from gates.scoring.scorers import can_score
from gates.slices.services import slices_of
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.permissions import WRITE_GATES
from relcontrol.clock import now
from relcontrol.errors import Conflict, FieldError, Invalid, invalid
from relcontrol.jobs.leases import cancel
from relcontrol.jobs.models import LeasedJob
from relcontrol.jobs.running import run as run_job
from relcontrol.jobs.wake import wake
from relcontrol.model_servers.spending import Budget, Spent

KIND: Final = "calibration"
USUAL_THRESHOLD: Final = Decimal("0.65")
ASKED: Final = "asked"
OPEN: Final = (LeasedJob.State.QUEUED, LeasedJob.State.RUNNING)


@transaction.atomic
def request_calibration(
    *,
    actor: Actor,
    judge: Judge,
    suite: Suite,
    slices: Sequence[str] | None = None,
    scores: Sequence[Mapping[str, Any]] | None = None,
    budget: Budget = Budget(),  # noqa: B008 - frozen
    rescores: bool = True,
) -> CalibrationRun:
    """A queued calibration, or the one that was asked for in the same words and is not over yet.

    `slices` are slugs; without them every slice with a threshold that has graded answers in the suite, and where none
    has a threshold, every slice that answers stand in. `scores` are those of an external judge.
    """
    actor.require(WRITE_GATES)
    judge, answers = _stored(judge), graded_answers(suite)
    if not answers:
        raise invalid("suite", f"No answer of {suite.name} has a grade. Have some graded by a panel, or send ratings.")
    chosen = _chosen(actor, slices, answers)
    taken = _within(actor, chosen, answers)
    body = _sent(judge, taken, answers, scores)
    order = {
        "slices": [{"slug": row.slug, "threshold": str(row.threshold or USUAL_THRESHOLD)} for row in chosen],
        "budget": budget.as_json(),
        "rescores": rescores and body is None,
        "why": ASKED,
    }
    known = CalibrationRun.objects.filter(judge=judge, suite=suite, order=order, body=body, state__in=OPEN).first()
    return known or CalibrationRun.objects.create(
        organization=actor.organization,
        judge=judge,
        suite=suite,
        order=order,
        body=body,
        spent=Spent().as_json(),
        progress_of=len(taken),
        requested_by=actor.id,
        requested_by_label=actor.label,
        requested_with=how_known(actor),
        created_at=now(),
    )


def carry_out(run: CalibrationRun) -> CalibrationRun:
    """Measure sent scores here and now, leave whatever has to be scored to a worker; returns it as it is then."""
    if run.body is not None:
        run_job(CalibrationRun.objects.filter(pk=run.pk), calibrate_judge)
    else:
        wake(KIND, run.pk)
    return calibration_named(run.organization, run.pk)


@transaction.atomic
def cancel_calibration(*, actor: Actor, run: CalibrationRun, reason: str = "") -> CalibrationRun:
    """Stop a calibration that is not over; nothing of it counts. It says who stopped it, and why."""
    actor.require(WRITE_GATES)
    if not cancel(CalibrationRun.objects.filter(pk=run.pk), now()):
        fresh = calibration_named(actor.organization, run.pk)
        message = f"This calibration is over ({fresh.state}); what was measured is not taken back."
        raise Conflict(message, code="already_over", state={"calibration_id": fresh.pk, "state": fresh.state})
    why = f": {reason.strip()}" if reason.strip() else ""
    said = {"code": "cancelled", "detail": f"{actor.label} cancelled it{why}.", "errors": []}
    CalibrationRun.objects.filter(pk=run.pk).update(problem=said, body=None)
    return calibration_named(actor.organization, run.pk)


def _chosen(actor: Actor, slugs: Sequence[str] | None, answers: Sequence[GradedRow]) -> list[Slice]:
    rows = {row.slug: row for row in slices_of(actor.organization)}
    parents = parents_of(actor.organization)
    leaves = {answer.slice for answer in answers}
    graded = {slug for leaf in leaves for slug in line_of(parents, leaf)}
    if slugs is None:
        judged = [rows[slug] for slug in sorted(graded) if rows[slug].threshold is not None]
        return judged or [rows[slug] for slug in sorted(leaves)]
    wanted = sorted(set(slugs))
    errors = [FieldError("slices", f"There is no slice {slug[:80]!r}.") for slug in wanted if slug not in rows]
    errors += [
        FieldError("slices", f"The suite has no graded answer in {slug}.")
        for slug in wanted
        if slug in rows and slug not in graded
    ]
    if not wanted:
        errors.append(FieldError("slices", "Name at least one slice, or leave slices out to measure all."))
    if errors:
        raise Invalid(errors[0].message, errors=errors)
    return [rows[slug] for slug in wanted]


def _within(actor: Actor, chosen: Sequence[Slice], answers: Sequence[GradedRow]) -> list[GradedRow]:
    parents, slugs = parents_of(actor.organization), {row.slug for row in chosen}
    return [answer for answer in answers if slugs.intersection(line_of(parents, answer.slice))]


def _sent(
    judge: Judge,
    taken: Sequence[GradedRow],
    answers: Sequence[GradedRow],
    scores: Sequence[Mapping[str, Any]] | None,
) -> bytes | None:
    """The sent scores, of any graded answer of the suite, checked, as they are kept; None where relcontrol scores."""
    if judge.definition["kind"] == EXTERNAL_KIND:
        if scores is None:
            raise invalid("scores", f"{judge.name} scores elsewhere: send its scores of the graded answers.")
        read_scores(scores, {(answer.case_id, answer.answer_id) for answer in answers}, scale_of(judge))
        return zlib.compress(json.dumps(list(scores)).encode(), 1)
    if scores is not None:
        message = f"relcontrol scores with {judge.name} itself: leave scores out. Only external judges send theirs."
        raise invalid("scores", message)
    if why_not := can_score(judge):
        raise invalid("judge", why_not)
    if not any(answer.has_text for answer in taken):
        message = "None of these graded answers has its text here, so no judge can read it: import it with the suite."
        raise invalid("suite", message)
    return None


def _stored(judge: Judge) -> Judge:
    """The judge as a row: the default rules have none until somebody needs it."""
    if judge.pk != DEFAULT_RULES:
        return judge
    named = ("definition", "sha256", "created_by", "created_by_label", "created_at")
    values = {name: getattr(judge, name) for name in named}
    return Judge.objects.get_or_create(organization=judge.organization, name=judge.name, defaults=values)[0]
