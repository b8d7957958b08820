"""Head of line: what decides about canaries waits behind no long job; measured with real processes, by rows alone."""

from datetime import datetime

import pytest
from celery import current_app

from gates.models import SuiteImport
from gates.suites import request_import
from relcontrol.jobs.wake import wake
from releases.rollout_models import Rollout
from tests.chaos.evidence import suite_file
from tests.chaos.processes import worker_process
from tests.releases.canary import Canary, canary
from tests.waiting import until

LONG_JOBS, LOOKS = 10, 3
SECONDS, TO_BEGIN = 2, 60
WAITING = ("queued", "running")


@pytest.fixture
def here(transactional_db: None) -> Canary:
    """An organization that other processes see."""
    return canary()


def looked_at(row: Rollout) -> datetime | None:
    """When a ticker last looked at the rollout."""
    return Rollout.objects.values_list("looked_at", flat=True).get(pk=row.pk)


def looked_since(row: Rollout, before: datetime | None, seconds: float) -> None:
    """Ask for a look as beat does, and wait for it."""
    current_app.send_task("relcontrol.ticks.rollouts", queue="ticks")
    until(lambda: looked_at(row) != before, seconds, "the ticker looks at the rollout")


def test_a_tick_runs_within_two_seconds_while_ten_long_jobs_are_queued(
    here: Canary, process_environment: dict[str, str]
) -> None:
    row, file = here.start(), suite_file()
    with worker_process(process_environment, "ticks"):
        looked_since(row, None, TO_BEGIN)
        for number in range(LONG_JOBS):
            job = request_import(actor=here.scene.actor, name=f"large-{number}", body=file, file_format="jsonl")
            wake("suite-import", job.pk)
        jobs = SuiteImport.objects.filter(name__startswith="large-")
        with worker_process(process_environment, "work"):
            until(jobs.filter(state="running").exists, TO_BEGIN, "the worker takes the first job")
            for _ in range(LOOKS):
                looked_since(row, looked_at(row), SECONDS)
            assert jobs.filter(state__in=WAITING).count() > LONG_JOBS // 2
