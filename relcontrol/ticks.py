"""Celery tasks: the periodic ticks, and the wake-up of a worker for one job row. Thin: each calls what knows.

Composed here, at the top, as jobs belong to several apps.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from celery import shared_task
from django.db import OperationalError
from django.db.models import Q, QuerySet
from psycopg.errors import LockNotAvailable

from audit.anchor_models import Anchor
from audit.anchors.ticking import tick_anchors
from audit.anchors.working import make_anchor
from audit.chain_checks import check_all_chains
from audit.exporting.exports import make_export
from audit.models import Export
from gates.calibrations.anchors import check_anchors, due_checks
from gates.calibrations.working import calibrate_judge
from gates.judge_models import AnchorCheck, CalibrationRun
from gates.known_calls import forget_calls
from gates.models import SuiteImport
from gates.overrides.expiring import expire_due
from gates.run_models import GateRun
from gates.suites import import_suite
from relcontrol.accounts.models import SignInAttempt
from relcontrol.api.models import IdempotencyRecord, RateWindow
from relcontrol.clock import now
from relcontrol.jobs.heartbeats import beat
from relcontrol.jobs.leases import Lease, claimable
from relcontrol.jobs.models import LeasedJob
from relcontrol.jobs.running import run
from relcontrol.jobs.wake import wake
from releases.evaluating.working import gate_run
from releases.observer_models import ObserverJob, WorstAnswers
from releases.observing.scoring import score_answers
from releases.observing.ticking import tick_observers
from releases.replays.working import replay
from releases.rolling.following import follow_rollbacks
from releases.rolling.ticking import tick_rollouts
from releases.rolling.warmth import probe_all
from releases.rollout_models import ReplayJob
from releases.routing.replicas import tidy_replicas
from releases.traces.partitions import ensure_partitions, expire
from releases.worst.working import find_worst

logger = logging.getLogger(__name__)

JOBS: dict[str, tuple[type[LeasedJob], Callable[[Lease[Any]], None]]] = {
    "suite-import": (SuiteImport, import_suite),
    "gate-run": (GateRun, gate_run),
    "export": (Export, make_export),
    "replay": (ReplayJob, replay),
    "calibration": (CalibrationRun, calibrate_judge),
    "anchor-check": (AnchorCheck, check_anchors),
    "worst-answers": (WorstAnswers, find_worst),
    "observe": (ObserverJob, score_answers),
    "anchor": (Anchor, make_anchor),
}
WAKES_PER_TICK = 50


@shared_task(name="relcontrol.ticks.work")
def work(kind: str, key: str) -> None:
    """Do one job, if nobody else does."""
    model, do = JOBS[kind]
    beat("worker", now())
    run(_ripe(model, now()).filter(pk=key), do)


@shared_task(name="relcontrol.ticks.reconcile")
def reconcile() -> None:
    """Wake a worker for each job that waits or was left behind, oldest first."""
    at = now()
    beat("ticker", at)
    for kind, (model, _) in JOBS.items():
        waiting = claimable(_ripe(model, at), at).order_by("pk").values_list("pk", flat=True)
        for key in waiting[:WAKES_PER_TICK]:
            wake(kind, key)


def _ripe(model: type[LeasedJob], at: datetime) -> QuerySet[Any]:
    """A kind's jobs; of anchors those whose pause after a failure is over."""
    rows = model._default_manager.all()
    return rows.filter(Q(next_at__lte=at)) if model is Anchor else rows


@shared_task(name="relcontrol.ticks.worker_heartbeat")
def worker_heartbeat() -> None:
    """Runs in the worker's queue: the worker is alive when this gets through."""
    beat("worker", now())


@shared_task(name="relcontrol.ticks.replayer_heartbeat")
def replayer_heartbeat() -> None:
    """The same in the queue of replays."""
    beat("replayer", now())


@shared_task(name="relcontrol.ticks.check_chains")
def check_chains() -> None:
    """Verify what was added to each chain since the last check."""
    check_all_chains(now())


@shared_task(name="relcontrol.ticks.anchors")
def anchors() -> None:
    """Make the checkpoints that are due, for those who anchor them."""
    tick_anchors(now())


@shared_task(name="relcontrol.ticks.expire_overrides")
def expire_overrides() -> None:
    """Write down which overrides have lapsed; they count as expired from their hour on, ticker or not."""
    expire_due(now())


@shared_task(name="relcontrol.ticks.judges")
def judges() -> None:
    """Have calibrated judges looked at again, once a day each; calibrations that have lapsed end."""
    due_checks(now())


@shared_task(name="relcontrol.ticks.rollouts")
def rollouts() -> None:
    """Look at every canary: count, decide, move; and at how far rollbacks have come. Nothing else keeps it waiting."""
    at = now()
    tick_rollouts(at)
    follow_rollbacks(at)


@shared_task(name="relcontrol.ticks.observers")
def observers() -> None:
    """Look at everything that serves: choose answers, close windows, act on what they say."""
    tick_observers(now())


@shared_task(name="relcontrol.ticks.probes")
def probes() -> None:
    """Ask what a rollback would go to whether it answers."""
    probe_all(now())


@contextmanager
def giving_way(what: str) -> Iterator[None]:
    """What would have to wait for a lock is left to the next time, and said."""
    try:
        yield
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        logger.warning("%s gave way to others who work on traces, and comes again", what)


@shared_task(name="relcontrol.ticks.partitions")
def partitions() -> None:
    """Make the days ahead for traces."""
    with giving_way("making days for traces"):
        ensure_partitions(now())


@shared_task(name="relcontrol.ticks.retention")
def retention() -> None:
    """Drop traces, keys and answers that have outlived their retention."""
    with giving_way("the retention of traces"):
        expire(now())


@shared_task(name="relcontrol.ticks.tidy")
def tidy() -> None:
    """Delete what has lapsed: stored answers, rate windows, failed sign-ins, gateways that are gone."""
    at = now()
    forget_calls(at)
    tidy_replicas(at)
    IdempotencyRecord.objects.filter(created_at__lt=at - timedelta(hours=24)).delete()
    RateWindow.objects.filter(minute__lt=int(at.timestamp()) // 60 - 60).delete()
    SignInAttempt.objects.filter(at__lt=at - timedelta(hours=1)).delete()
