"""A worker killed in the middle of a large gate run: each case is recorded once, with one verdict and one receipt."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import pytest
from django.db import transaction

from gates.run_models import CaseResult, GateRun, SliceResult
from relcontrol.accounts.models import Application
from relcontrol.ticks import work
from tests.chaos.evidence import events, lease_lapsed, receipts_verified
from tests.chaos.processes import Process, job_process, kill
from tests.gates.runs.stage import Row, Stage, bare, cases_of
from tests.gates.scene import lines, post_suite
from tests.waiting import until

CASES = 12_000  # three blocks of rows
PATIENCE = 120


@dataclass
class Large:
    """A large run that waits for a worker."""

    stage: Stage
    run: GateRun

    def now(self) -> GateRun:
        """The run as it is."""
        return GateRun.objects.get(pk=self.run.pk)

    @contextmanager
    def verdict_withheld(self) -> Iterator[None]:
        """Runs of the application end one after the other: while its row is held here, none ends."""
        with transaction.atomic():
            Application.objects.select_for_update(no_key=True).get(pk=self.run.application_id)
            yield

    def recorded(self, at_least: int) -> Callable[[], bool]:
        """Whether so many rows are recorded and the verdict is still to come."""
        return GateRun.objects.filter(pk=self.run.pk, progress_done__gte=at_least).exists


@pytest.fixture
def large(transactional_db: None) -> Large:
    """Asked for by the API, left to a worker."""
    here, cases = bare(), cases_of("ip-licensing", CASES)
    body = {"slug": "ip-licensing", "name": "IP licensing", "threshold": 0.65, "quality_floor": 0.4}
    assert here.ci.post("slices", body).status_code == 201
    imported = post_suite(here.ci, lines(cases), name="large")
    if imported.status_code == 202:
        work("suite-import", imported.json()["import_id"])
    release = here.register(dataset_version="large")
    sent = {"judge": "external:legal-judge@9", "parity": release.bundle_sha256, "results": results(cases)}
    answer = here.ci.post(f"releases/{release.pk}/gate-runs", sent)
    assert answer.status_code == 202, answer.content[:1000]
    return Large(here, GateRun.objects.get(pk=answer.json()["gate_run_id"]))


def results(cases: list[Row]) -> list[Row]:
    """One graded answer of fifty: enough to judge, and most rows are as small as they get."""
    rows: list[Row] = []
    for place, case in enumerate(cases):
        row = {"case_id": case["case_id"], "answer_id": "a", "score": place % 1_000 / 1_000}
        rows.append(row | ({"human_scores": [place % 1_000 / 100]} if place % 50 == 0 else {}))
    return rows


def worker(environment: Mapping[str, str], large: Large) -> AbstractContextManager[Process]:
    """A process that was woken for the run."""
    return job_process(environment, "gate-run", large.run.pk)


def complete_and_once(large: Large) -> None:
    """What must hold in the end, however often somebody was killed."""
    run = large.now()
    assert (run.state, run.verdict, run.progress_done) == (GateRun.State.DONE, "gate_hold", CASES), run.problem
    assert CaseResult.objects.filter(run=run).count() == CASES
    assert CaseResult.objects.filter(run=run).values("case").distinct().count() == CASES
    assert SliceResult.objects.filter(run=run).count() == 1
    assert events(large.stage.organization, "gate.held") == 1
    assert events(large.stage.organization, "ratings.added") == 1
    assert run.body is None


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_killed_run_is_completed_once_by_the_next_worker(
    large: Large, process_environment: dict[str, str], share: float
) -> None:
    with large.verdict_withheld(), worker(process_environment, large) as process:
        until(large.recorded(max(1, int(share * CASES))), PATIENCE, "the process records results")
        kill(process)
    left = large.now()
    assert left.state == GateRun.State.RUNNING
    assert CaseResult.objects.filter(run=left).count() == left.progress_done
    lease_lapsed(left)
    work("gate-run", left.pk)
    work("gate-run", left.pk)
    complete_and_once(large)


def test_a_run_that_is_cancelled_while_somebody_works_on_it_comes_to_no_verdict(
    large: Large, process_environment: dict[str, str]
) -> None:
    with worker(process_environment, large) as process:
        until(large.recorded(1), PATIENCE, "the process records results")
        answer = large.stage.ci.post(f"gate-runs/{large.run.pk}/cancel")
        assert answer.status_code == 200, answer.content
        process.wait(timeout=PATIENCE)
    work("gate-run", large.run.pk)
    run = large.now()
    assert (run.state, run.verdict, run.document) == (GateRun.State.CANCELLED, "", None)
    names = {row.event for row in receipts_verified(large.stage.organization)}
    assert not names & {"gate.held", "gate.passed", "gate.failed", "ratings.added"}
