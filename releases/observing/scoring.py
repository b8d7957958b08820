"""The job that scores what an observer chose: people's answers as they were served, and anchors (domain.md "Observe").

An answer that was not stored is asked for again. Rules score at once, models are asked with some calls in flight. Each
result is written once, under the job's fence: a job that is killed anywhere repeats only the calls in flight. What
cannot be scored is missing, with the sentence why; it is never a low score. An answer that says nothing is one.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from relcontrol.clock import now
from relcontrol.jobs.leases import Lease
from relcontrol.jobs.models import LeasedJob
from releases.observer_models import ObservedAnswer, Observer, ObserverJob
from releases.observing.answers.judging import by_models, by_rules
from releases.observing.answers.material import Case, Run
from releases.observing.answers.replaying import replayed
from releases.observing.starting import NO_LONGER
from releases.replays.pairing import opened_each
from releases.replays.rendering import NotReplayableError
from releases.replays.scoring import GONE, prompt_text
from releases.trace_models import Trace

AT_ONCE: Final = 64
TOO_LATE: Final = "Its window was closed before it was scored."


def score_answers(lease: Lease[ObserverJob]) -> None:
    """The job: score what waits, oldest first, until nothing does."""
    rows = Observer.objects.select_related("organization", "application", "release__organization")
    run = Run(lease, rows.get(pk=lease.job.observer_id))
    while waiting := _waiting(run):
        lease.keep(now(), of=lease.job.progress_done + len(waiting))
        _score(run, waiting)
    with lease.writing() as job:
        job.state, job.finished_at = LeasedJob.State.DONE, now()
        job.save(update_fields=["state", "finished_at"])


def _waiting(run: Run) -> list[ObservedAnswer]:
    rows = ObservedAnswer.objects.filter(observed__observer=run.observer, state=ObservedAnswer.State.QUEUED)
    return list(rows.select_related("observed", "anchor__case").order_by("at", "pk")[:AT_ONCE])


def _score(run: Run, rows: Sequence[ObservedAnswer]) -> None:
    by_model: list[Case] = []
    for case in _cases(run, rows):
        if run.asks_a_model(case.row):
            by_model.append(case)
        else:
            by_rules(run, case)
    by_models(run, by_model)


def _cases(run: Run, rows: Sequence[ObservedAnswer]) -> Iterator[Case]:
    """What is to be scored; what nobody waits for any more, and what is gone, is written as missing."""
    over = Observer.objects.filter(pk=run.observer.pk, ended_at__isnull=False).exists()
    served: list[ObservedAnswer] = []
    for row in rows:
        if over or (row.anchor is None and row.at < row.observed.next_from):
            run.write(Case(row), problem=NO_LONGER if over else TOO_LATE)
        elif row.anchor is not None:
            of = row.anchor.case
            yield Case(row, of.input, row.anchor.output or "", of.reference)
        else:
            served.append(row)
    yield from _served(run, served)


def _served(run: Run, rows: Sequence[ObservedAnswer]) -> Iterator[Case]:
    """Served answers as they were stored; those that were not are asked for again."""
    again: list[tuple[Case, Any]] = []
    for row, traced in zip(rows, _opened(run, rows), strict=True):
        case = Case(row)
        if problem := _read(case, traced):
            run.write(case, problem=problem)
        elif case.output is None:
            again.append((case, traced))
        else:
            yield case
    if again:
        yield from replayed(run, again)


def _read(case: Case, traced: Any) -> str:
    """Take prompt and answer from an opened trace; else why not."""
    if traced is None:
        return GONE
    try:
        case.asked, case.output = prompt_text(traced), traced.get("output")
    except NotReplayableError as error:
        return str(error)
    return ""


def _opened(run: Run, rows: Sequence[ObservedAnswer]) -> list[Any]:
    """The bodies of the traces of these answers; None where one is gone."""
    traces = Trace.objects.filter(
        organization=run.observer.organization_id,
        trace_id__in={row.trace_id for row in rows},
        started_at__in={row.trace_started_at for row in rows},
    )
    bodies: dict[tuple[str, datetime | None], bytes] = {}
    for trace in traces:
        bodies[trace.trace_id, trace.started_at] = bytes(trace.body or b"")
    sealed = [(bytes(row.subject or b""), bodies.get((row.trace_id, row.trace_started_at), b"")) for row in rows]
    return opened_each(run.observer.organization_id, sealed)
