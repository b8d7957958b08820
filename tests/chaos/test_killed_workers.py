"""A worker killed at any moment of a job: the next one completes it, once."""

import random
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from audit.exporting.exports import content_of, request_export
from audit.models import Export, ExportPart
from gates.models import Suite, SuiteCase, SuiteImport
from gates.slices.services import create_slice
from gates.suites import request_import
from relcontrol.jobs.models import LeasedJob
from relcontrol.ticks import work
from tests.chaos.evidence import CASES, events, lease_lapsed, receipts_verified, suite_file
from tests.chaos.processes import job_process, kill
from tests.gates.scene import Scene, scene
from tests.waiting import until

SEEDS = (1, 2)  # early and late
LATEST_SECONDS = 0.6


@pytest.fixture
def northgate(transactional_db: None) -> Scene:
    """An organization that other processes see."""
    return scene()


def _killed(environment: Mapping[str, str], kind: str, job: LeasedJob, seed: int) -> None:
    """Start the job in a process and kill that at a moment which the seed chooses."""
    rows: Any = type(job)._default_manager.filter(pk=job.pk).exclude(state=LeasedJob.State.QUEUED)
    with job_process(environment, kind, job.pk) as process:
        until(rows.exists, 30, "the process takes the job")
        threading.Event().wait(random.Random(seed).uniform(0, LATEST_SECONDS))  # noqa: S311 - no secret
        kill(process)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_suite_import_is_completed_once_by_the_next_worker(
    northgate: Scene, process_environment: dict[str, str], seed: int
) -> None:
    job = request_import(actor=northgate.actor, name="large", body=suite_file(), file_format="jsonl")
    _killed(process_environment, "suite-import", job, seed)
    assert SuiteCase.objects.count() in {0, CASES}
    lease_lapsed(job)
    work("suite-import", job.pk)
    work("suite-import", job.pk)
    row = SuiteImport.objects.get(pk=job.pk)
    assert (row.state, Suite.objects.count(), SuiteCase.objects.count()) == ("done", 1, CASES)
    assert events(northgate.organization, "suite.imported") == 1


@pytest.mark.parametrize("seed", SEEDS[:1])
def test_an_export_is_completed_once_by_the_next_worker(
    northgate: Scene, process_environment: dict[str, str], seed: int
) -> None:
    for number in range(40):
        create_slice(actor=northgate.actor, slug=f"s-{number}")
    job = request_export(actor=northgate.actor, scope={"organization": True})
    _killed(process_environment, "export", job, seed)
    lease_lapsed(job)
    work("export", job.pk)
    work("export", job.pk)
    row = Export.objects.get(pk=job.pk)
    assert row.state == Export.State.DONE
    assert len(b"".join(content_of(row))) == row.size
    parts = sorted(ExportPart.objects.filter(export=row).values_list("kind", "number"))
    assert parts == [("json", 0), ("pdf", 0), ("zip", 0)]
    assert events(northgate.organization, "export.issued") == 1


def test_a_job_whose_workers_always_die_is_given_up_with_a_reason(northgate: Scene) -> None:
    job = request_import(actor=northgate.actor, name="deadly", body=suite_file()[:200], file_format="jsonl")
    SuiteImport.objects.filter(pk=job.pk).update(state="running", attempts=5)
    lease_lapsed(job)
    work("suite-import", job.pk)
    row = SuiteImport.objects.get(pk=job.pk)
    assert row.state == SuiteImport.State.ERROR
    assert row.problem
    assert row.problem["detail"].startswith("Given up after 5 attempts")
    receipts_verified(northgate.organization)
