"""Taking, keeping and ending a lease on a job row.

Every statement is one compare-and-set on (id, fence): no lock is held while work is done. Rows are locked
FOR NO KEY UPDATE, here and in every service: a foreign key to a row is checked when its transaction commits, with the
chain head held, and would wait for a full lock whose holder waits for that head.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from django.db import transaction
from django.db.models import F, Q, QuerySet

from relcontrol.jobs.models import LeasedJob

LEASE = timedelta(seconds=30)
MAX_ATTEMPTS = 5

Job = TypeVar("Job", bound=LeasedJob)


class LeaseLostError(Exception):
    """Somebody else holds the lease, or the job was cancelled: stop, and write nothing."""


@dataclass(frozen=True, slots=True)
class Lease(Generic[Job]):
    """The right to work on `job` for as long as `fence` is the row's."""

    job: Job
    fence: int

    @contextmanager
    def writing(self) -> Iterator[Job]:
        """A transaction in which the row is locked, re-read and known to be ours."""
        with transaction.atomic():
            rows = type(self.job)._default_manager.select_for_update(of=("self",), no_key=True)
            row = rows.filter(pk=self.job.pk, fence=self.fence, state=LeasedJob.State.RUNNING).first()
            if row is None:
                raise LeaseLostError(f"{self.job.pk} is no longer ours")
            yield row

    def keep(self, now: datetime, *, done: int | None = None, of: int | None = None) -> None:
        """Renew the lease and report progress."""
        changes: dict[str, Any] = {"lease_until": now + LEASE}
        if done is not None:
            changes["progress_done"] = done
        if of is not None:
            changes["progress_of"] = of
        rows = type(self.job)._default_manager.filter(pk=self.job.pk, fence=self.fence, state=LeasedJob.State.RUNNING)
        if not rows.update(**changes):
            raise LeaseLostError(f"{self.job.pk} is no longer ours")


def claimable(rows: QuerySet[Job], now: datetime) -> QuerySet[Job]:
    """Jobs that nobody works on: queued, or left by a worker whose lease ran out."""
    left = Q(state=LeasedJob.State.RUNNING, lease_until__lt=now)
    return rows.filter(Q(state=LeasedJob.State.QUEUED) | left)


def claim(rows: QuerySet[Job], owner: str, now: datetime) -> Lease[Job] | None:
    """Take the lease of the one job in `rows`, or None where somebody else has it."""
    with transaction.atomic():
        row = claimable(rows, now).select_for_update(skip_locked=True, of=("self",), no_key=True).first()
        if row is None:
            return None
        row.state, row.lease_owner, row.lease_until = LeasedJob.State.RUNNING, owner, now + LEASE
        row.fence, row.attempts = row.fence + 1, row.attempts + 1
        row.save(update_fields=["state", "lease_owner", "lease_until", "fence", "attempts"])
    return Lease(row, row.fence)


def fail(lease: Lease[Any], now: datetime, problem: dict[str, Any]) -> None:
    """End the job with what went wrong, in words."""
    with lease.writing() as row:
        row.state, row.problem, row.finished_at = LeasedJob.State.ERROR, problem, now
        row.save(update_fields=["state", "problem", "finished_at"])


def cancel(rows: QuerySet[Job], now: datetime) -> int:
    """Cancel the jobs in `rows` that are not over; whoever works on one loses its lease. Returns how many."""
    still_open = rows.filter(state__in=[LeasedJob.State.QUEUED, LeasedJob.State.RUNNING])
    return still_open.update(state=LeasedJob.State.CANCELLED, finished_at=now, fence=F("fence") + 1)
