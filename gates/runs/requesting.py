"""Asking for a gate run: which suite, judges, slices and policy hold, pinned as they are now; cancelling one.

The results stay with the run as they came until its job has made rows of them, so that a killed process loses nothing.
What can be refused without looking into them is refused here: another suite than the manifest's, a judge that a slice
does not have, answers that something else has made.
"""

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet

from gates.judge_models import Calibration
from gates.judges import judge_for, scale_of
from gates.models import Judge, Slice, Suite
from gates.policies.selectors import policy_for
from gates.requesters import how_known
from gates.run_models import AllowlistEntry, GateRun
from gates.runs.candidate import Candidate
from gates.runs.gathering import digest_of_grades, grades_in
from gates.runs.order import RunOrder
from gates.runs.selectors import run_named
from gates.runs.working import judge_run
from gates.slices.services import definition_of, judged_slices, slice_set_digest, slices_of
from gates.suites import suite_named
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Application
from relcontrol.accounts.permissions import WRITE_GATES
from relcontrol.clock import now
from relcontrol.errors import Conflict, FieldError, Invalid, NotFound, invalid
from relcontrol.jobs.leases import cancel
from relcontrol.jobs.models import LeasedJob
from relcontrol.jobs.running import run as run_job
from relcontrol.jobs.wake import wake

KIND: Final = "gate-run"
INLINE_RESULTS: Final = 5_000
DIGEST_MARK: Final = "sha256:"
MATCH: Final = "match"


@transaction.atomic
def request_run(*, actor: Actor, candidate: Candidate, order: RunOrder, body: bytes, results: int) -> GateRun:
    """A queued run, or the one that was asked for with the same bytes under the same rules.

    `body` is the request as it came, with that many `results` in it.
    """
    actor.require(WRITE_GATES)
    run = pinned_run(actor, candidate, order)
    run.parity = _parity(candidate, order)
    run.body_sha256, run.progress_of = hashlib.sha256(body).hexdigest(), results
    application = locked_application(candidate)
    if same := _same_request(run):
        return same
    run.body = zlib.compress(body, 1)
    return numbered(run, application)


def pinned_run(actor: Actor, candidate: Candidate, order: RunOrder) -> GateRun:
    """A run that is not stored yet, with the suite, judges, slices and policy that hold now."""
    suite = _suite(actor, candidate, order)
    judged = judged_slices(actor.organization, candidate.application)
    judges = _judges(actor, order, judged, suite)
    return GateRun(
        organization=actor.organization,
        application=candidate.application,
        manifest_sha256=candidate.manifest_sha256,
        previous_manifest_sha256=candidate.previous_manifest_sha256,
        candidate=candidate.as_json(),
        order=order.as_json() | {"scales": {slug: list(scale_of(judge)) for slug, judge in judges.items()}},
        policy=policy_for(actor.organization, candidate.application).as_json(),
        slices=[_pinned(row, judges.get(row.slug)) for row in judged],
        slice_set_sha256=slice_set_digest(actor.organization, candidate.application),
        judges={slug: judge.sha256 for slug, judge in judges.items()},
        suite=suite,
        dry_run=order.dry_run,
        requested_by=actor.id,
        requested_by_label=actor.label,
        requested_with=how_known(actor),
        created_at=now(),
    )


def locked_application(candidate: Candidate) -> Application:
    """The application, locked: its runs are asked for one after the other."""
    return Application.objects.select_for_update(no_key=True).get(pk=candidate.application.pk)


def numbered(run: GateRun, application: Application) -> GateRun:
    """Store a run as the next one of its application, which is locked."""
    application.gate_run_count += 1
    application.save(update_fields=["gate_run_count"])
    run.number = application.gate_run_count
    run.save(force_insert=True)
    return run


def carry_out(run: GateRun, *, inline: bool = True) -> GateRun:
    """Judge a small run here and now if `inline`, leave any other to a worker; returns it as it is then.

    A run that has to ask model servers is never one for a web process.
    """
    if inline and run.evaluation is None and run.progress_of <= INLINE_RESULTS:
        run_job(GateRun.objects.filter(pk=run.pk), judge_run)
    else:
        wake(KIND, run.pk)
    return run_named(run.organization, run.pk)


@transaction.atomic
def cancel_run(*, actor: Actor, run: GateRun, reason: str = "") -> GateRun:
    """Stop a run that is not over; whoever works on it writes nothing more. The run says who stopped it, and why."""
    actor.require(WRITE_GATES)
    if not cancel(GateRun.objects.filter(pk=run.pk), now()):
        fresh = run_named(actor.organization, run.pk)
        message = f"Gate run {fresh.number} is over ({fresh.state}); what was decided is not taken back."
        raise Conflict(message, code="already_over", state={"gate_run_id": fresh.pk, "state": fresh.state})
    said = f"{actor.label} cancelled it{f': {reason.strip()}' if reason.strip() else ''}."
    GateRun.objects.filter(pk=run.pk).update(problem={"code": "cancelled", "detail": said, "errors": []}, body=None)
    if run.baseline is not None and not _is_wanted(run.baseline):
        cancel(GateRun.objects.filter(pk=run.baseline_id), now())
    return run_named(actor.organization, run.pk)


def _is_wanted(baseline: GateRun) -> bool:
    """Whether anybody asked for the run itself, or another run still waits for it."""
    open_states = [LeasedJob.State.QUEUED, LeasedJob.State.RUNNING]
    waiting = GateRun.objects.filter(baseline=baseline, state__in=open_states)
    return not baseline.dry_run or waiting.exists()


def _suite(actor: Actor, candidate: Candidate, order: RunOrder) -> Suite:
    wanted = str(candidate.manifest["dataset"])
    try:
        suite = suite_named(actor.organization, order.suite or wanted)
    except NotFound as error:
        raise invalid("suite", error.detail, code="unknown_suite") from error
    if suite.sha256 != wanted and not order.dry_run:
        message = (
            f"The manifest names another suite ({wanted[:19]}…) than {suite.name} ({suite.sha256[:19]}…). Register a "
            "release with this dataset_version, or send a dry_run, which has no effect."
        )
        raise invalid("suite", message, code="suite_differs")
    if suite.grade_scale and order.grade_scale and list(order.grade_scale) != list(suite.grade_scale):
        low, high = suite.grade_scale
        raise invalid("grade_scale", f"The grades of {suite.name} go from {low:g} to {high:g}; leave grade_scale out.")
    return suite


def _parity(candidate: Candidate, order: RunOrder) -> str:
    """`match` or `not_claimed`; another fingerprint than the manifest's is refused."""
    if order.parity is None:
        return "not_claimed"
    bundle, preprocessing = candidate.bundle_sha256, str(candidate.manifest["preprocessing"])
    claimed = order.parity.strip().lower().removeprefix(DIGEST_MARK)
    if claimed in (bundle, preprocessing.removeprefix(DIGEST_MARK)):
        return MATCH
    message = (
        f"These answers were made by {order.parity}, but the manifest serves by the bundle {bundle} with the "
        f"preprocessing {preprocessing}. Evaluate with what will serve, or register what was evaluated."
    )
    raise Invalid(
        message,
        code="parity_mismatch",
        errors=[FieldError("parity", message)],
        state={"claimed": order.parity, "bundle_sha256": bundle, "preprocessing": preprocessing},
    )


def _slugs_in(suite: Suite, parents: Mapping[str, str | None]) -> frozenset[str]:
    """Every slice that has cases in the suite, its own or those of a slice below it."""
    found: set[str] = set()
    for leaf in suite.slice_counts:
        slug: str | None = leaf
        while slug is not None and slug not in found:
            found.add(slug)
            slug = parents.get(slug)
    return frozenset(found)


def _judges(actor: Actor, order: RunOrder, judged: Sequence[Slice], suite: Suite) -> dict[str, Judge]:
    """The judge of each slice that has cases: its own, else the one of the run."""
    parents = {row.slug: row.parent.slug if row.parent else None for row in slices_of(actor.organization)}
    present = _slugs_in(suite, parents)
    rows = [row for row in judged if row.slug in present]
    names = {row.slug: row.judge or order.judge or "" for row in rows}
    others = {row.slug: row.judge for row in rows if order.judge and row.judge and row.judge != order.judge}
    if others:
        said = ", ".join(f"{slug} has {judge}" for slug, judge in sorted(others.items())[:5])
        message = f"The run's judge is for slices that name none, but {said}. Leave judge out, or send its scores."
        raise invalid("judge", message, code="judge_differs")
    if missing := sorted(slug for slug, name in names.items() if not name):
        message = f"Name the judge that scored the answers: {', '.join(missing[:5])} name none of their own."
        raise invalid("judge", message)
    known = {name: judge_for(actor=actor, name=name, scale=order.scale) for name in sorted(set(names.values()))}
    _require_one_judge_a_case(names, parents)
    return {slug: known[name] for slug, name in names.items()}


def _require_one_judge_a_case(names: Mapping[str, str], parents: Mapping[str, str | None]) -> None:
    """A score is one judge's: a slice and the judged one above it cannot have different judges."""
    for slug in names:
        above = parents.get(slug)
        while above is not None and above not in names:
            above = parents.get(above)
        if above is not None and names[above] != names[slug]:
            message = (
                f"{slug} is judged by {names[slug]} and {above} above it by {names[above]}, but a result has "
                "one score. Give both the same judge, or take one threshold away."
            )
            raise invalid("judge", message, code="judge_differs")


def _pinned(row: Slice, judge: Judge | None) -> dict[str, Any]:
    definition = definition_of(row)
    return {
        "slug": row.slug,
        "name": row.name,
        "revision": row.revision,
        "sha256": definition.sha256(),
        "judge": judge.name if judge else row.judge or None,
        "definition": definition.as_json(),
    }


def same_requests(run: GateRun) -> QuerySet[GateRun]:
    """Runs of the same request under the same rules that have not failed or been cancelled, newest first."""
    open_states = [LeasedJob.State.QUEUED, LeasedJob.State.RUNNING, LeasedJob.State.DONE]
    same: Mapping[str, Any] = {
        name: getattr(run, name)
        for name in ("organization", "manifest_sha256", "body_sha256", "slice_set_sha256", "judges", "policy", "suite")
    }
    return GateRun.objects.filter(state__in=open_states, **same).order_by("-pk")


def _same_request(run: GateRun) -> GateRun | None:
    """The run of the same bytes under the same rules, unless it ended without a verdict or evidence came since."""
    known = same_requests(run).first()
    if known is None or known.state != LeasedJob.State.DONE:
        return known
    if known.verdict == GateRun.Verdict.HOLD and _more_is_known(known):
        return None
    return known if digest_of_grades(grades_in(known.suite)) == known.ratings_sha256 else None


def _more_is_known(held: GateRun) -> bool:
    """Whether what held a run may be there by now: another run's scores, an allowlisted case, a measured judge."""
    others = GateRun.objects.filter(organization=held.organization, finished_at__gt=held.finished_at)
    reviewed = AllowlistEntry.objects.filter(case__suite=held.suite, reviewed_at__gt=held.finished_at)
    measured = Calibration.objects.filter(organization=held.organization, measured_at__gt=held.finished_at)
    return others.filter(state=LeasedJob.State.DONE).exists() or reviewed.exists() or measured.exists()
