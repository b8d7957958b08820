"""Choosing which live prompts both arms answer at a checkpoint (statistics.md R15): up to the cap in each slice.

Newest first, those that the candidate answered before those of stable, at most three of one subject, so that nobody's
conversation is the sample. In a shadow both have answered already: the copy and what was served are paired as they are.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet

from relcontrol.jobs.models import LeasedJob
from relcontrol.jobs.wake import wake_on_commit
from releases.bucketing import Arm
from releases.monitors.quality import CAP
from releases.replays.pairing import opened, pair_of, shadow_pairs
from releases.rollout_models import ReplayJob, ReplayPair, Rollout
from releases.rollouts import states
from releases.trace_models import Trace
from releases.traces.selectors import traces_of

KIND: Final = "replay"
PER_SUBJECT: Final = 3
PER_TICK: Final = 100
# Pairs that could not be replayed are made up for, but not without end.
MOST_IN_ALL: Final = 2 * CAP
LOOKED_AT: Final = 4  # traces for each pair that is wanted: some are of one subject, some cannot be read
CLOCKS: Final = timedelta(minutes=5)
REST: Final = timedelta(minutes=1)
OK: Final = 200
OPEN: Final = (LeasedJob.State.QUEUED, LeasedJob.State.RUNNING)
WAITING: Final = (ReplayPair.State.QUEUED, ReplayPair.State.ANSWERED)


@transaction.atomic
def choose_pairs(row: Rollout, value: states.Rollout, now: datetime) -> int:
    """Choose pairs where a watched slice has fewer than the cap, see that a job works on them; how many are new."""
    if value.over or row.previous is None:
        return 0
    chosen: list[ReplayPair] = []
    for slug in row.settings.get("slices", ()):
        if len(chosen) < PER_TICK:
            chosen += _of_slice(row, slug, PER_TICK - len(chosen), now)
    ReplayPair.objects.bulk_create(chosen, ignore_conflicts=True)
    if ReplayPair.objects.filter(rollout=row, checkpoint=row.checkpoint, state__in=WAITING).exists():
        _have_a_job(row, now)
    return len(chosen)


def _have_a_job(row: Rollout, now: datetime) -> None:
    """One open job for the rollout; after one that failed, a rest before the next."""
    jobs = ReplayJob.objects.filter(rollout=row)
    failed = jobs.filter(state=LeasedJob.State.ERROR, finished_at__gt=now - REST)
    if jobs.filter(state__in=OPEN).exists() or failed.exists():
        return
    job = ReplayJob(rollout=row, checkpoint=row.checkpoint, created_at=now)
    ReplayJob.objects.bulk_create([job], ignore_conflicts=True)
    wake_on_commit(KIND, job.pk)


def _of_slice(row: Rollout, slug: str, most: int, now: datetime) -> list[ReplayPair]:
    known = list(
        ReplayPair.objects.filter(rollout=row, checkpoint=row.checkpoint, slice=slug).values_list(
            "trace_id", "subject", "state"
        )
    )
    usable = sum(state != ReplayPair.State.UNUSABLE for _, _, state in known)
    wanted = min(CAP - usable, MOST_IN_ALL - len(known), most)
    if wanted <= 0:
        return []
    taken = {trace_id for trace_id, _, _ in known}
    subjects = Counter(bytes(subject) for _, subject, _ in known)
    chosen: list[ReplayPair] = []
    for pair in _candidates(row, slug, taken, wanted, now):
        if subjects[bytes(pair.subject)] < PER_SUBJECT:
            subjects[bytes(pair.subject)] += 1
            chosen.append(pair)
        if len(chosen) == wanted:
            break
    return chosen


def _candidates(row: Rollout, slug: str, taken: set[str], wanted: int, now: datetime) -> Iterator[ReplayPair]:
    """Pairs that could be made, the better ones first."""
    looked_at = LOOKED_AT * wanted
    if row.state == Rollout.State.SHADOWING:
        copies = _traces(row, slug, Arm.SHADOW, ())[: looked_at + len(taken)]
        yield from shadow_pairs(row, slug, copies, taken, now)
        return
    for arm in (Arm.CANDIDATE, Arm.STABLE):
        traces = list(_traces(row, slug, arm, taken)[:looked_at])
        for trace, body in zip(traces, opened(row, traces), strict=True):
            if pair := pair_of(row, slug, trace, body, now):
                yield pair


def _traces(row: Rollout, slug: str, arm: Arm, taken: Iterable[str]) -> QuerySet[Trace]:
    """Good answers of an arm since the checkpoint was entered, newest first."""
    found = traces_of(row.organization, rollout=row.pk, arm=arm.value, slice=slug, since=row.entered_at - CLOCKS)
    untold = Q(generation=None, started_at__gte=row.entered_at)
    fresh = found.filter(Q(generation__gte=row.entered_generation) | untold)
    return fresh.filter(status=OK, error=None, body__isnull=False).exclude(trace_id__in=list(taken))
