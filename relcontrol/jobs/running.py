"""Running one job under its lease: what a worker does with a wake-up, and a web process with small work inline."""

import logging
import os
import socket
from collections.abc import Callable
from typing import TypeVar

from django.db.models import QuerySet

from relcontrol.clock import now
from relcontrol.errors import DomainError
from relcontrol.jobs.leases import MAX_ATTEMPTS, Lease, LeaseLostError, claim, fail
from relcontrol.jobs.models import LeasedJob

logger = logging.getLogger(__name__)

Job = TypeVar("Job", bound=LeasedJob)


def run(rows: QuerySet[Job], work: Callable[[Lease[Job]], None]) -> bool:
    """Claim the job in `rows` and do it; False where somebody else has it or it is over.

    An error that the job's owner can mend ends the job with its words. Any other leaves the lease to run out, so that
    the job is tried again, `MAX_ATTEMPTS` times in all.
    """
    lease = claim(rows, owner_name(), now())
    if lease is None:
        return False
    try:
        if lease.job.attempts > MAX_ATTEMPTS:
            fail(lease, now(), {"detail": f"Given up after {MAX_ATTEMPTS} attempts; the log of the worker says why."})
        else:
            work(lease)
    except LeaseLostError:
        logger.warning("lost the lease of %s; another process goes on with it", lease.job.pk)
    except DomainError as error:
        errors = [{"field": item.field, "message": item.message} for item in error.errors]
        fail(lease, now(), {"code": error.code, "detail": error.detail, "errors": errors})
    except Exception:
        logger.exception("job %s failed at attempt %s", lease.job.pk, lease.job.attempts)
    return True


def owner_name() -> str:
    """This process, for the lease."""
    return f"{socket.gethostname()}:{os.getpid()}"[:100]
