"""The job of a gate run: results into rows, rows into a verdict, verdict and receipt in one transaction.

Rows are written in blocks under the job's fence, and the block that was reached stands in the same transaction: after
a kill the next worker goes on behind it, so that each case is recorded once. The verdict is computed without any lock;
writing it needs the fence.
"""

import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any, Final

from gates.models import Slice, SuiteCase
from gates.requesters import requester_of
from gates.run_models import CaseDrop, CaseResult, GateRun, SliceResult
from gates.runs.deciding import Decision, decide
from gates.runs.gathering import cases_of_suite, grade_scale_of, graded_texts, grades_in
from gates.runs.material import Case
from gates.runs.reading import Expected, read_results
from gates.runs.recording import record
from gates.runs.results import Result
from gates.suite_files.cases import Scale
from gates.suite_rows import copy_rows
from relcontrol.accounts.permissions import WRITE_GATES
from relcontrol.clock import now
from relcontrol.errors import DomainError
from relcontrol.jobs.leases import Lease
from relcontrol.jobs.models import LeasedJob

BLOCK: Final = 5_000
RENEW_EVERY: Final = timedelta(seconds=5)
DEFAULT_SCALE: Final = (0.0, 1.0)
COLUMNS: Final = (
    "run_id",
    "case_id",
    "answer_id",
    "output",
    "score",
    "scores",
    "rescores",
    "previous_rescores",
    "reason",
    "latency_ms",
    "input_tokens",
    "output_tokens",
    "error",
)


def judge_run(lease: Lease[GateRun]) -> None:
    """The job: read every row, record it, decide; or end with all that is wrong with the results."""
    try:
        requester_of(lease.job).require(WRITE_GATES)
        results = _read(lease)
        _record_results(lease, results)
        decision = decide(lease.job, results, now(), _keeper(lease))
        _finish(lease, results, decision)
    except DomainError as error:
        end_refused(lease, error)


def _keeper(lease: Lease[GateRun]) -> Callable[[], None]:
    """Renews the lease, but not at every call: judging a slice may take a moment or a minute."""
    renewed = now()

    def keep() -> None:
        nonlocal renewed
        at = now()
        if at - renewed >= RENEW_EVERY:
            lease.keep(at)
            renewed = at

    lease.keep(renewed)
    return keep


def _read(lease: Lease[GateRun]) -> list[Result]:
    run = lease.job
    rows = json.loads(zlib.decompress(bytes(run.body or b"")))["results"]
    cases = cases_of_suite(run.suite)
    expected = Expected(
        cases=_scales(run, cases),
        known_outputs=graded_texts(run.suite),
        known_grades={
            (*key, rater): grade for key, given in grades_in(run.suite).items() for rater, grade in given.items()
        },
        grade_scale=grade_scale_of(run),
    )
    lease.keep(now())
    return read_results(rows, expected)


def _scales(run: GateRun, cases: Sequence[Case]) -> dict[str, Scale]:
    """The scale on which each case is scored: that of the judge of its slice, or of the nearest judged one above."""
    parents = dict(Slice.objects.filter(organization=run.organization).values_list("slug", "parent__slug"))
    fallback = run.order["scale"] or DEFAULT_SCALE
    by_slice: dict[str, Scale] = {}
    for slug in {case.slice for case in cases}:
        above: str | None = slug
        while above is not None and above not in run.order["scales"]:
            above = parents.get(above)
        low, high = run.order["scales"][above] if above else fallback
        by_slice[slug] = (float(low), float(high))
    return {case.case_id: by_slice[case.slice] for case in cases}


def _record_results(lease: Lease[GateRun], results: Sequence[Result]) -> None:
    """Write the rows block by block, from where an earlier attempt stopped."""
    keys = dict(SuiteCase.objects.filter(suite=lease.job.suite).values_list("case_id", "pk"))
    lease.keep(now(), of=len(results))
    begin = lease.job.progress_done
    for start in range(begin, len(results), BLOCK):
        block = results[start : start + BLOCK]
        with lease.writing() as run:
            copy_rows(CaseResult, COLUMNS, _rows(run, block, keys))
            run.progress_done = start + len(block)
            run.save(update_fields=["progress_done"])
        lease.keep(now())


def _rows(run: GateRun, results: Sequence[Result], keys: dict[str, int]) -> Iterator[tuple[Any, ...]]:
    for result in results:
        yield (
            run.pk,
            keys[result.case_id],
            result.answer_id,
            result.output,
            result.score,
            None if result.scores is None else json.dumps(result.scores),
            json.dumps(result.rescores) if result.rescores else None,
            json.dumps(result.previous_rescores) if result.previous_rescores else None,
            result.reason,
            result.latency_ms,
            result.input_tokens,
            result.output_tokens,
            result.error,
        )


def _finish(lease: Lease[GateRun], results: Sequence[Result], decision: Decision) -> None:
    actor = requester_of(lease.job)
    with lease.writing() as run:
        actor.require(WRITE_GATES)
        record(actor, run, results, decision)


def end_refused(lease: Lease[GateRun], error: DomainError) -> None:
    """The run says what was wrong; what it had recorded goes, so that nothing half-judged is left."""
    with lease.writing() as run:
        for model in (CaseDrop, SliceResult, CaseResult):
            model.objects.filter(run=run).delete()
        run.problem = {
            "status": error.status,
            "code": error.code,
            "detail": error.detail,
            "errors": [{"field": item.field, "message": item.message} for item in error.errors],
            "state": error.state,
        }
        run.state, run.body, run.finished_at = LeasedJob.State.ERROR, None, now()
        run.save(update_fields=["state", "body", "finished_at", "problem"])
