"""The job of a checkpoint's replays: each chosen prompt answered by the other arm, both answers scored.

Eight calls are in flight; each result is written alone under the job's fence, so that a job that is killed anywhere
repeats at most those eight. The other arm's error is the error monitor's business: such a pair is missing here. What a
model is to judge waits as answered until all replays are there (`judging`).
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from datetime import timedelta
from typing import Any, Final

from relcontrol.clock import now
from relcontrol.jobs.leases import LEASE, Lease
from relcontrol.jobs.models import LeasedJob
from relcontrol.model_servers.calls import Calls
from relcontrol.model_servers.client import Answer
from releases.bucketing import Arm
from releases.replays.judging import judge_answered
from releases.replays.material import Replay, write_pair
from releases.replays.pairing import opened
from releases.replays.rendering import NotReplayableError, client_body, upstream_body
from releases.replays.scoring import GONE, score_pair, unusable
from releases.rollout_models import ReplayJob, ReplayPair, Rollout
from releases.trace_models import Trace
from releases.traces.bodies import open_body, seal_body

IN_FLIGHT: Final = 8
CALL_SECONDS: Final = 60.0
LOOK_SECONDS: Final = 5.0
RENEW_EVERY: Final = timedelta(seconds=5)
OUTDATED: Final = "The rollout went on before this prompt was replayed."
State = ReplayPair.State


def replay(lease: Lease[ReplayJob]) -> None:
    """The job: score what both have answered, replay what waits; ends when nothing of its checkpoint is left."""
    rows = Rollout.objects.select_related("organization", "application", "release", "previous")
    run = Replay(lease, rows.get(pk=lease.job.rollout_id))
    waiting = ReplayPair.objects.filter(rollout=run.row, state__in=[State.QUEUED, State.ANSWERED])
    lease.keep(now(), of=lease.job.progress_done + waiting.filter(checkpoint=lease.job.checkpoint).count())
    _score_answered(run)
    with Calls(time_limit=CALL_SECONDS) as calls:
        _replay_all(run, calls)
    judge_answered(run, [entry for entry in _pairs(run, State.ANSWERED) if run.model_of(entry[0].slice)])
    _finish(run)


def _pairs(run: Replay, state: ReplayPair.State) -> Iterator[tuple[ReplayPair, Any]]:
    """Pairs of the checkpoint in this state, in the order of choosing, each with its trace's opened body."""
    pairs = ReplayPair.objects.filter(rollout=run.row, checkpoint=run.lease.job.checkpoint, state=state)
    for pair in pairs.order_by("pk"):
        traces = Trace.objects.filter(
            organization_id=pair.organization_id, trace_id=pair.trace_id, started_at=pair.trace_started_at
        )
        yield pair, next(iter(opened(run.row, list(traces))), None)


def _score_answered(run: Replay) -> None:
    """Pairs of a shadow, whose answers are both there, by rules; a model judges them with all others."""
    for pair, traced in _pairs(run, State.ANSWERED):
        if run.model_of(pair.slice) is None:
            answers = open_body(pair.organization_id, bytes(pair.subject), bytes(pair.answers or b""))
            _store(run, pair, traced, answers)


def _replay_all(run: Replay, calls: Calls) -> None:
    flying: dict[Future[Answer], tuple[ReplayPair, Mapping[str, Any]]] = {}
    waiting, renewed = _pairs(run, State.QUEUED), now()
    more = _still_wanted(run)
    while more or flying:
        while more and len(flying) < IN_FLIGHT:
            found = next(waiting, None)
            if found is None:
                more = False
            elif future := _begun(run, calls, *found):
                flying[future] = found
        done, _ = wait(flying, timeout=LOOK_SECONDS, return_when=FIRST_COMPLETED)
        for future in done:
            pair, traced = flying.pop(future)
            _store_answer(run, pair, traced, future.result())
        if now() - renewed >= RENEW_EVERY:
            renewed = now()
            run.lease.keep(renewed)
            more = more and _still_wanted(run)


def _still_wanted(run: Replay) -> bool:
    """The rollout is still at the job's checkpoint."""
    rows = Rollout.objects.filter(pk=run.row.pk, checkpoint=run.lease.job.checkpoint)
    return any(not row.is_over for row in rows.only("state"))


def _begun(run: Replay, calls: Calls, pair: ReplayPair, traced: Any) -> "Future[Answer] | None":
    """The call that answers a pair's prompt by the other arm; None where it cannot be asked, which is written."""
    if traced is None:
        _store(run, pair, None, None)
        return None
    other = run.others[pair.served]
    try:
        body = upstream_body(other.release, run.application, client_body(traced))
    except NotReplayableError as error:
        _store(run, pair, traced, None, problem=str(error))
        return None
    return calls.ask(other.release.endpoint.base_url, other.secret, body)


def _store_answer(run: Replay, pair: ReplayPair, traced: Mapping[str, Any], answer: Answer) -> None:
    other = Arm.STABLE if pair.served == Arm.CANDIDATE else Arm.CANDIDATE
    if answer.output is None:
        said = f"The {other.value} did not answer the replay: {answer.error}"
        _store(run, pair, traced, None, problem=f"{said} ({answer.status})." if answer.status else f"{said}.")
        return
    answers = {other.value: answer.output, pair.served: traced["output"]}
    if run.model_of(pair.slice):
        _keep_answers(run, pair, answers)
    else:
        _store(run, pair, traced, answers)


def _keep_answers(run: Replay, pair: ReplayPair, answers: Mapping[str, Any]) -> None:
    """Both answers are there, and wait for a model's scores."""
    sealed = seal_body(pair.organization_id, bytes(pair.subject), dict(answers))
    with run.lease.writing() as job:
        ReplayPair.objects.filter(pk=pair.pk, state=State.QUEUED).update(state=State.ANSWERED, answers=sealed)
        job.lease_until = now() + LEASE
        job.save(update_fields=["lease_until"])


def _store(run: Replay, pair: ReplayPair, traced: Any, answers: Any, *, problem: str = "") -> None:
    """Score a pair and write it under the fence; without answers it is missing, for `problem`."""
    at = now()
    if traced is None or answers is None:
        kept = unusable(pair, problem or GONE, {}, at)
    else:
        kept = score_pair(pair, run.rules_of(pair.slice), traced, answers, at)
    write_pair(run, pair, kept)


def _finish(run: Replay) -> None:
    """End the job; what nobody waits for any more is closed."""
    with run.lease.writing() as job:
        row = Rollout.objects.get(pk=run.row.pk)
        rest = ReplayPair.objects.filter(rollout=row, state__in=[State.QUEUED, State.ANSWERED])
        outdated = rest if row.is_over else rest.exclude(checkpoint=row.checkpoint)
        outdated.update(state=State.UNUSABLE, problem=OUTDATED, scored_at=now())
        job.state, job.finished_at = LeasedJob.State.DONE, now()
        job.save(update_fields=["state", "finished_at"])
