"""The job of a gate run, whatever its results come from: those that were sent, or those that relcontrol gets itself.

An evaluation goes through answering, scoring and scoring again, every step of every case written once under the run's
fence; a job that is killed anywhere repeats at most the calls that were in flight. Then its results stand where sent
ones would, and it is judged as any other run.
"""

from gates.evaluating.progress import Evaluation, is_evaluated
from gates.evaluating.rescores import rescore_flagged
from gates.evaluating.results import write_results
from gates.evaluating.rows import blocks, fail_rest, in_state, make_rows, rows_of
from gates.evaluating.scores import judge_by_leaf, score_all
from gates.models import Judge
from gates.requesters import requester_of
from gates.run_models import EvaluatedCase, GateRun
from gates.runs.requesting import KIND
from gates.runs.working import end_refused, judge_run
from relcontrol.accounts.permissions import WRITE_GATES
from relcontrol.clock import now
from relcontrol.errors import DomainError
from relcontrol.jobs.leases import Lease, claimable
from relcontrol.jobs.models import LeasedJob
from relcontrol.jobs.running import run as run_job
from relcontrol.jobs.wake import wake
from relcontrol.model_servers.calls import Calls
from releases.evaluating.answering import ATTEMPTS, CALL_SECONDS, Answering
from releases.evaluating.material import material_of
from releases.models import Release

State = EvaluatedCase.State


def gate_run(lease: Lease[GateRun]) -> None:
    """The job: get the results where none were sent, then judge them; what waits for this run is woken."""
    if not is_evaluated(lease.job):
        if _waits(lease.job):
            _baseline_first(lease)
            return
        try:
            requester_of(lease.job).require(WRITE_GATES)
            _evaluate(lease)
        except DomainError as error:
            end_refused(lease, error)
    if not _ended(lease):
        judge_run(lease)
    for key in _waiting_for(lease.job):
        wake(KIND, key)


def _waits(run: GateRun) -> bool:
    return run.baseline is not None and not run.baseline.is_over


def _ended(lease: Lease[GateRun]) -> bool:
    return not GateRun.objects.filter(pk=lease.job.pk, state=LeasedJob.State.RUNNING).exists()


def _waiting_for(run: GateRun) -> list[str]:
    rows = GateRun.objects.filter(baseline=run, state=LeasedJob.State.QUEUED)
    return list(rows.values_list("pk", flat=True))


def _baseline_first(lease: Lease[GateRun]) -> None:
    """Give the lease back, and do what the run waits for where nobody else does; its end wakes this run again."""
    with lease.writing() as run:
        run.state, run.attempts, run.lease_until = LeasedJob.State.QUEUED, run.attempts - 1, None
        run.save(update_fields=["state", "attempts", "lease_until"])
    baseline = GateRun.objects.filter(pk=run.baseline_id)
    if claimable(baseline, now()).exists() and run_job(baseline, gate_run):
        run_job(GateRun.objects.filter(pk=run.pk), gate_run)


def _evaluate(lease: Lease[GateRun]) -> None:
    release = Release.objects.select_related("organization", "application").get(pk=lease.job.candidate["release_id"])
    evaluation, material, judges = Evaluation.of(lease), material_of(release), judge_by_leaf(lease.job)
    make_rows(evaluation)
    with Calls(time_limit=CALL_SECONDS, attempts=ATTEMPTS) as calls:
        answering = Answering(evaluation, material, calls)
        for block in blocks(evaluation):
            _answer(evaluation, answering, block)
            _score(evaluation, judges, block)
    rescore_flagged(evaluation)
    write_results(evaluation)


def _answer(evaluation: Evaluation, answering: Answering, block: tuple[int, int]) -> None:
    rows = in_state(evaluation.run, block, State.WAITING)
    if not rows:
        return
    every = rows_of(evaluation.run)
    evaluation.enter("answering", every.exclude(state=State.WAITING).count(), every.count())
    answering.answer_all(rows)
    if reason := evaluation.reason_to_stop():
        evaluation.stop(reason)
        fail_rest(evaluation, in_state(evaluation.run, block, State.WAITING), reason)


def _score(evaluation: Evaluation, judges: dict[str, Judge], block: tuple[int, int]) -> None:
    rows = in_state(evaluation.run, block, State.ANSWERED)
    if not rows:
        return
    every = rows_of(evaluation.run)
    evaluation.enter("scoring", every.filter(state=State.SCORED).count(), every.exclude(state=State.FAILED).count())
    score_all(evaluation, rows, judges)
