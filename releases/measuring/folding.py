"""Folding traces into the sums of the present checkpoint, each exactly once (statistics.md R11a, R12, R14).

Everything of transactions below `folded_to` is in the sums. A fold takes the horizon first, the oldest transaction that
may still be running, and counts what lies between the two: a trace that is written late has a later transaction, so
none is missed, and no other fold takes it again, as the measurement's row is locked. A fold is one chunk of R12; it
waits until enough traces are there or some time has passed, so that chunks are of about equal length.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from releases.measuring.checkpoint_sums import CheckpointSums, SubjectCounts
from releases.measuring.counting import CANDIDATE, STABLE, Window, count_new_subjects
from releases.measuring.history import with_point
from releases.rollout_models import Measurement, Rollout
from releases.traces.selectors import xact_horizon

CHUNK_TRACES: Final = 200
CHUNK_TIME: Final = timedelta(seconds=10)
MOST_TRACES: Final = 50_000  # of one fold, which bounds its memory; the rest is for the next tick


@transaction.atomic
def fold(row: Rollout, now: datetime) -> Measurement:
    """Count what waits for the checkpoint that the rollout is at, and return its measurement.

    The rollout is read again after the horizon was taken: a trace of a later checkpoint below the horizon was served
    after that checkpoint was committed, so what is read then already says so, and the trace is not counted here.
    """
    horizon = xact_horizon()
    fresh = Rollout.objects.get(pk=row.pk)
    measurement = _locked(fresh)
    window = Window(fresh, measurement, measurement.folded_to, max(measurement.folded_to, horizon))
    if now - measurement.folded_at < CHUNK_TIME and window.nth(CHUNK_TRACES - 1) is None:
        return measurement
    window = _bounded(window)
    _add(measurement, window.subjects())
    measurement.folded_to, measurement.folded_at = window.high, max(now, measurement.folded_at)
    measurement.history = with_point(fresh, measurement)
    measurement.save()
    return measurement


def _locked(row: Rollout) -> Measurement:
    first = Measurement(
        rollout=row,
        checkpoint=row.checkpoint,
        entered_at=row.entered_at,
        generation=row.entered_generation,
        folded_to=0,
        folded_at=row.entered_at,
    )
    Measurement.objects.bulk_create([first], ignore_conflicts=True)
    return Measurement.objects.select_for_update(no_key=True).get(rollout=row, checkpoint=row.checkpoint)


def _bounded(window: Window) -> Window:
    """Cut off what is too much for one fold, between two transactions; a single larger one is counted whole."""
    beyond = window.nth(MOST_TRACES)
    if beyond is None:
        return window
    high = beyond if beyond > (window.nth(0) or 0) else beyond + 1
    return Window(window.rollout, window.measurement, window.low, high)


def _add(measurement: Measurement, arms: Mapping[str, Mapping[str, SubjectCounts]]) -> None:
    candidate, stable = arms[CANDIDATE], arms[STABLE]
    if not candidate and not stable:
        return
    sums = CheckpointSums.from_json(measurement.sums) + CheckpointSums.of_chunk(candidate, stable)
    measurement.sums = sums.as_json()
    measurement.candidate_requests = sums.errors.candidate.requests
    measurement.stable_requests = sums.errors.stable.requests
    measurement.candidate_subjects += count_new_subjects(measurement, CANDIDATE, sorted(candidate))
    measurement.stable_subjects += count_new_subjects(measurement, STABLE, sorted(stable))
