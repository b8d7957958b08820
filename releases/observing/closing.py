"""Closing the windows of a watched slice, each once and for ever (statistics.md R16), and what follows from each.

One transaction for a window: its row, the streaks and the drift detector together, under the lock of the slice. Of two
that close at once the second finds the first one's window closed. Acting on it is another step
(`releases.observing.acting`) that reads what is written here, so that it is done even where this process ends now.
"""

import math
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from releases.observer_models import ObservedAnswer, ObservedSlice, QualityWindow
from releases.observing.anchors import agreement_of
from releases.observing.answers.seen import requests_in
from releases.observing.detectors import fed
from releases.observing.plan import KNOWN
from releases.observing.starting import minute_of
from releases.observing.watch import Signal, Watch, after
from releases.observing.windows import LONGEST_MINUTES, Closing, Sample, close_of, settle_of

MOST_AT_ONCE: Final = 200
Kind = ObservedAnswer.Kind
QUEUED = ObservedAnswer.State.QUEUED


def close_windows(observed: ObservedSlice, now: datetime) -> list[QualityWindow]:
    """Close every window that can be closed now, oldest first."""
    minute = minute_of(observed.observer)
    closed: list[QualityWindow] = []
    while observed.next_from + minute <= now - settle_of(minute) and len(closed) < MOST_AT_ONCE:
        window = _close_one(observed.pk, now, minute)
        if window is None:
            break
        observed.refresh_from_db()
        closed.append(window)
    return closed


@transaction.atomic
def _close_one(key: int, now: datetime, minute: timedelta) -> QualityWindow | None:
    rows = ObservedSlice.objects.select_related("observer__organization", "observer__release")
    observed = rows.select_for_update(no_key=True, of=("self",)).get(pk=key)
    samples = _samples(observed, minute)
    closing = close_of(
        start=observed.next_from,
        now=now,
        samples=samples,
        n_min=observed.n_min,
        floor=observed.floor,
        minute=minute,
    )
    if closing is None:
        return None
    _watch(observed, closing, now)
    _detect(observed, closing, samples)
    observed.next_from = closing.end
    observed.save(
        update_fields=[
            *("next_from", "streak", "clear_streak", "empty_streak", "breached_since", "paged_at", "detector"),
        ]
    )
    return _written(observed, closing, now)


def _samples(observed: ObservedSlice, minute: timedelta) -> list[Sample]:
    """The answers of people that were chosen of the next windows, in the order in which they were served."""
    rows = ObservedAnswer.objects.filter(
        observed=observed,
        late=False,
        at__gte=observed.next_from,
        at__lt=observed.next_from + LONGEST_MINUTES * minute,
    ).exclude(kind=Kind.ANCHOR)
    found = rows.order_by("at", "pk").values_list("at", "score", "state")
    return [Sample(at, score, state != QUEUED) for at, score, state in found]


def _watch(observed: ObservedSlice, closing: Closing, now: datetime) -> None:
    before = Watch(observed.streak, observed.clear_streak, observed.empty_streak)
    s_min = observed.spread / math.sqrt(observed.n_min)
    watch, signal = after(before, closing.verdict, mean=closing.mean, floor=observed.floor, s_min=s_min)
    observed.streak, observed.clear_streak, observed.empty_streak = watch.streak, watch.clear_streak, watch.empty_streak
    if watch.streak == 1 and observed.breached_since is None:
        observed.breached_since = closing.start
    if signal is Signal.CLEARED:
        observed.breached_since = None
    if signal is Signal.PAGE:
        observed.paged_at = now
    elif closing.verdict != "no_data":
        observed.paged_at = None


def _detect(observed: ObservedSlice, closing: Closing, samples: list[Sample]) -> None:
    observed.detector = fed(
        observed.detector,
        [sample.score for sample in samples if closing.start <= sample.at < closing.end],
        healthy_mean=observed.healthy_mean,
        known=observed.windows_known >= KNOWN,
        start=closing.start,
        end=closing.end,
    )


def _written(observed: ObservedSlice, closing: Closing, now: datetime) -> QualityWindow:
    agreement = agreement_of(observed, now)
    return QualityWindow.objects.create(
        observed=observed,
        started_at=closing.start,
        ended_at=closing.end,
        closed_at=now,
        requests=requests_in(observed, closing.start, closing.end),
        asked=closing.asked,
        n=closing.n,
        n_min=observed.n_min,
        mean=closing.mean,
        sd=closing.sd,
        floor=observed.floor,
        agreement=agreement.rho,
        agreement_n=agreement.n,
        verdict=closing.verdict,
        streak=observed.streak,
    )
