"""The ticker's part in observing: choose, have scored, close, arm, act, judge further policies (domain.md "Observe").

Each step leaves rows that the next one reads, so that it does not matter where a tick ends, or how many run at once.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from django.db import transaction

from relcontrol.jobs.models import LeasedJob
from relcontrol.jobs.wake import wake_on_commit
from releases.observer_models import ObservedAnswer, ObservedSlice, Observer, ObserverJob
from releases.observing.acting import act
from releases.observing.arming import arm, is_due
from releases.observing.closing import close_windows
from releases.observing.policies import judge_serving_policies
from releases.observing.sampling import sample
from releases.observing.starting import ensure_observers

logger = logging.getLogger(__name__)

KIND: Final = "observe"
REST: Final = timedelta(minutes=1)  # after a job that failed
JOB_FOR: Final = timedelta(hours=1)  # so long a job is begun again, before another row takes its place
OPEN: Final = (LeasedJob.State.QUEUED, LeasedJob.State.RUNNING)


def tick_observers(now: datetime) -> None:
    """One look at everything that is watched; what fails in one place keeps nothing else waiting."""
    _kept_apart("beginning and ending observers", lambda: ensure_observers(now))
    rows = Observer.objects.filter(ended_at__isnull=True, serving__until__isnull=True).order_by("pk")
    for row in rows.select_related("organization", "application", "route", "release", "serving"):
        tick(row, now)


def tick(observer: Observer, now: datetime) -> None:
    """One look at one observer."""
    _kept_apart(f"choosing answers for {observer.pk}", lambda: sample(observer, now))
    _kept_apart(f"having answers scored for {observer.pk}", lambda: have_a_job(observer, now))
    for row in ObservedSlice.objects.filter(observer=observer).order_by("pk"):
        row.observer = observer
        _kept_apart(f"watching {row.slice} for {observer.pk}", partial(_watch, row, now))
    _kept_apart(f"the policies of {observer.pk}", lambda: judge_serving_policies(observer, now))


@transaction.atomic
def have_a_job(observer: Observer, now: datetime) -> None:
    """See that a job works where answers wait: the one of this hour again, or another; after one that failed, a rest.

    The answers wait in rows of their own, so that a job that is begun again has forgotten nothing.
    """
    waiting = ObservedAnswer.objects.filter(observed__observer=observer, state=ObservedAnswer.State.QUEUED)
    if not waiting.exists():
        return
    job = ObserverJob.objects.filter(observer=observer).order_by("-pk").select_for_update(no_key=True).first()
    if job is not None and (job.state in OPEN or _rests(job, now)):
        return
    if job is not None and job.state == LeasedJob.State.DONE and job.created_at > now - JOB_FOR:
        job.state, job.attempts, job.finished_at = LeasedJob.State.QUEUED, 0, None
        job.save(update_fields=["state", "attempts", "finished_at"])
    else:
        job = ObserverJob(observer=observer, created_at=now)
        ObserverJob.objects.bulk_create([job], ignore_conflicts=True)
    wake_on_commit(KIND, job.pk)


def _rests(job: ObserverJob, now: datetime) -> bool:
    return job.state == LeasedJob.State.ERROR and job.finished_at is not None and job.finished_at > now - REST


def _watch(observed: ObservedSlice, now: datetime) -> None:
    closed = close_windows(observed, now)
    if is_due(observed, now):
        arm(observed.pk, now)
    act(observed, now, closed=closed)


def _kept_apart(what: str, do: Callable[[], object]) -> None:
    try:
        do()
    except Exception:
        logger.exception("%s failed; the next tick tries again", what)
