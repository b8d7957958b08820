"""Arming automatic rollback on a slice, or refusing to, with a receipt for each change (statistics.md R16).

It is decided anew every ten minutes, sooner where it was refused, since traffic or a way back may have come meanwhile.
What is armed stays so until it fails nine tenths of what arming takes: a slice at the limit would otherwise be armed
and refused by turns. And it stays so while windows below its floor are being counted: the rule by which a breach began
is the one by which it ends.
"""

import math
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet

from audit.events import Event
from audit.models import Receipt
from audit.receipts import Record, append
from audit.statement import DecisionInput, ReleaseRef
from gates.runs.digests import shown_number, without_floats
from relcontrol.accounts.actors import system_actor
from releases.observer_models import ObservedSlice
from releases.observing.history import History, history_of
from releases.observing.plan import Plan, plan_of
from releases.observing.starting import minute_of
from releases.observing.traffic import Traffic, traffic_of
from releases.rolling.receipts import claimed_weights
from releases.rolling.rolling_back import BY_ROLLBACK, default_target

EVERY_MINUTES: Final = 10
AGAIN_MINUTES: Final = 2
EASE: Final = 0.9
DECIDED: Final = ("armed", "armed_at", "why", "n_min", "false_rollbacks_per_month", "decided_at", "receipt_hash")
LEARNED: Final = ("healthy_mean", "spread", "correlation", "windows_known")


def arm(observed_pk: int, now: datetime) -> ObservedSlice:
    """Decide whether a slice is armed, where that is due, and write down why (not); the row as it is now.

    The first decision leaves a receipt, and so does each that is another one than before.
    """
    row = _rows().get(pk=observed_pk)
    if not is_due(row, now):
        return row
    history, plan = _decided(row, now)
    with transaction.atomic():
        locked = _rows().select_for_update(no_key=True, of=("self",)).get(pk=observed_pk)
        if is_due(locked, now):
            _write(locked, history, plan, now)
    return locked


def is_due(row: ObservedSlice, now: datetime) -> bool:
    """Whether it is time to decide anew: every ten minutes, every second one while a slice is refused.

    Never of one that has ended, nor of one that is armed while windows below its floor are being counted.
    """
    ended = row.observer.ended_at is not None or row.observer.serving.until is not None
    if ended or (row.armed and row.streak > 0):
        return False
    wait = (EVERY_MINUTES if row.armed else AGAIN_MINUTES) * minute_of(row.observer)
    return row.decided_at is None or now - row.decided_at >= wait


def _rows() -> QuerySet[ObservedSlice]:
    rows = ObservedSlice.objects.select_related(
        "observer__organization", "observer__application", "observer__release", "observer__route", "observer__serving"
    )
    return rows.defer("observer__release__manifest")


def _decided(row: ObservedSlice, now: datetime) -> tuple[History, Plan]:
    history = history_of(row, now)
    traffic = traffic_of(row.observer, now, slug=row.slice).get(row.slice, Traffic())
    plan = _plan(row, history, traffic)
    if plan.armed or not row.armed:
        return history, plan
    eased = _plan(row, history, traffic, ease=EASE)
    return history, eased if eased.armed else plan


def _plan(row: ObservedSlice, history: History, traffic: Traffic, ease: float = 1.0) -> Plan:
    observer = row.observer
    minute, most = minute_of(observer), int(observer.settings["per_window"])
    return plan_of(
        floor=row.floor,
        healthy_mean=history.healthy_mean,
        spread=history.spread,
        correlation=history.correlation,
        windows_known=history.windows,
        samples_a_minute=traffic.scores_a_minute(most=most, minute=minute),
        target=default_target(observer.route) is not None,
        returned=observer.serving.event in BY_ROLLBACK,
        skewness=history.skewness,
        between=history.between,
        ease=ease,
        minute=minute,
    )


def _write(row: ObservedSlice, history: History, plan: Plan, now: datetime) -> None:
    """`spread` is kept so that spread/√n_min is the standard deviation of a window, whatever that is made of."""
    changed = row.decided_at is None or row.armed != plan.armed
    row.healthy_mean, row.correlation, row.windows_known = history.healthy_mean, history.correlation, history.windows
    row.spread = history.spread if plan.s_min is None else plan.s_min * math.sqrt(plan.n_min)
    row.armed, row.why, row.n_min = plan.armed, plan.why, plan.n_min
    row.false_rollbacks_per_month, row.decided_at = plan.false_rollbacks_per_month, now
    if not plan.armed:
        row.armed_at = None
    elif changed:
        row.armed_at = now
    if changed:
        row.receipt_hash = _receipt(row, history, plan).receipt_hash
    row.save(update_fields=[*DECIDED, *LEARNED])


def _receipt(row: ObservedSlice, history: History, plan: Plan) -> Receipt:
    observer = row.observer
    return append(
        system_actor(observer.organization),
        Record(
            event=Event.OBSERVER_ARMED if plan.armed else Event.OBSERVER_REFUSED,
            outcome="armed" if plan.armed else "refused",
            kind="observer",
            name=observer.pk,
            application=observer.application.slug,
            release=ReleaseRef(observer.release.manifest_sha256, observer.release_id, observer.route_id),
            inputs=[_input(row, plan)],
            weights=claimed_weights(observer.release),
            state=without_floats(_state(row, history, plan)),
        ),
    )


def _input(row: ObservedSlice, plan: Plan) -> DecisionInput:
    return DecisionInput(
        metric="healthy_quality",
        verdict="armed" if plan.armed else "refused",
        slice=row.slice,
        value=_text(row.healthy_mean),
        threshold=_text(row.floor),
        op=None if row.floor is None else ">=",
        evidence=plan.why,
        n=row.windows_known,
    )


def _state(row: ObservedSlice, history: History, plan: Plan) -> dict[str, Any]:
    """Every number that the decision was made by."""
    return {
        "id": row.observer_id,
        "route": row.observer.route_id,
        "slice": row.slice,
        "judge": row.judge,
        "judge_sha256": row.judge_sha256,
        "armed": plan.armed,
        "why": plan.why,
        "floor": row.floor,
        "floor_source": row.floor_source,
        "healthy_mean": history.healthy_mean,
        "headroom": plan.headroom,
        "spread": history.spread,
        "skewness": history.skewness,
        "between": history.between,
        "correlation": history.correlation,
        "windows_known": history.windows,
        "n_min": plan.n_min,
        "s_min": plan.s_min,
        "false_rollbacks_per_month": plan.false_rollbacks_per_month,
    }


def _text(value: float | None) -> str | None:
    return None if value is None else shown_number(value)
