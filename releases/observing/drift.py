"""Alarms of what a route serves: raised for a person, who decides (statistics.md R17, domain.md "Observe").

While one is open, no rollout starts on the route (`releases.rolling.readiness`). Raising one and starting a rollout
wait for each other at the route's lock, so that none slips through.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import F, FloatField, QuerySet, Sum

from audit.events import Event
from audit.models import Receipt
from audit.receipts import Record, append
from audit.statement import DecisionInput, ReleaseRef
from gates.overrides.rules import checked_comment
from gates.runs.digests import without_floats
from relcontrol import clock
from relcontrol.accounts.actors import Actor, system_actor
from relcontrol.accounts.models import Route
from relcontrol.accounts.permissions import WRITE_ROLLOUTS
from relcontrol.errors import Conflict, invalid
from releases.measuring.as_json import MOST_EVIDENCE, QUALITY, decimal_of
from releases.monitors.drift import level_of
from releases.observer_models import DriftAlarm, ObservedSlice, Observer, QualityWindow, WorstAnswers
from releases.observing.detectors import again, begun
from releases.rolling.locking import lock_route
from releases.rolling.receipts import claimed_weights
from releases.rollout_models import Serving
from releases.worst.choosing import order_worst

KEEP: Final = "keep"
ROLLED_BACK: Final = "rolled_back"
REBASE: Final = "rebase_level"
DECISIONS: Final = (KEEP, ROLLED_BACK, REBASE)
MIN_COMMENT: Final = 5
REST: Final = timedelta(hours=24)
LATELY: Final = timedelta(minutes=30)


def open_alarms(route: Route) -> QuerySet[DriftAlarm]:
    """The alarms of a route that wait for a person, oldest first."""
    return DriftAlarm.objects.filter(route=route, decided_at__isnull=True).order_by("pk")


def mean_of_late(observed: ObservedSlice, at: datetime) -> float | None:
    """The mean score of a slice's windows of the last half hour; None without scores."""
    windows = QualityWindow.objects.filter(observed=observed, ended_at__gt=at - LATELY, mean__isnull=False, n__gt=0)
    weighted = Sum(F("mean") * F("n"), output_field=FloatField())
    total = windows.aggregate(scores=weighted, n=Sum("n"))
    return float(total["scores"]) / int(total["n"]) if total["n"] else None


@transaction.atomic
def raise_alarm(
    observer: Observer,
    *,
    kind: str = DriftAlarm.Kind.DRIFT,
    subject: str,
    facts: Mapping[str, Any],
    reason: str,
    now: datetime | None = None,
) -> DriftAlarm | None:
    """Have a person look at a matter of what an observer watches; `subject` is a slice or a policy's name.

    None where there is nothing to raise: the release serves no longer, the same alarm is open, or it is a policy's and
    a person decided within the last day to keep the release.
    """
    at, route = now or clock.now(), lock_route(observer.route_id)
    if not Serving.objects.filter(pk=observer.serving_id, until__isnull=True).exists():
        return None
    same = DriftAlarm.objects.filter(observer=observer, kind=kind, subject=subject)
    if same.filter(decided_at__isnull=True).exists() or (kind == DriftAlarm.Kind.POLICY and _kept(same, at)):
        return None
    row = DriftAlarm(
        organization=route.organization,
        route=route,
        observer=observer,
        kind=kind,
        subject=subject,
        facts=dict(facts),
        reason=reason,
        raised_at=at,
    )
    row.receipt_hash = _receipt(system_actor(route.organization), row, "alarmed").receipt_hash
    row.save(force_insert=True)
    if kind == DriftAlarm.Kind.DRIFT:
        order_worst(WorstAnswers.Kind.DRIFT, alarm=row)
    return row


def _kept(same: QuerySet[DriftAlarm], at: datetime) -> bool:
    return same.filter(decision=KEEP, decided_at__gt=at - REST).exists()


@transaction.atomic
def decide_alarm(*, actor: Actor, alarm: DriftAlarm, decision: str, comment: object) -> DriftAlarm:
    """Write down what a person decided on an alarm: keep the release, that it was rolled back, or a new usual level.

    `keep` and `rebase_level` begin the detector anew, the latter at the level of the last half hour. `Conflict` where
    it is decided already, where the release serves still though it is said to be rolled back, or without scores.
    """
    actor.require(WRITE_ROLLOUTS)
    said, at = checked_comment(comment, at_least=MIN_COMMENT), clock.now()
    if decision not in DECISIONS:
        raise invalid("decision", f"Must be one of {', '.join(DECISIONS)}.")
    lock_route(alarm.route_id)
    rows = DriftAlarm.objects.select_related("observer__release", "observer__serving", "route__application")
    row = rows.select_for_update(no_key=True, of=("self",)).get(pk=alarm.pk)
    if row.decided_at is not None:
        raise Conflict(f"{row.decided_by_label} has decided on this already.", state={"decision": row.decision})
    if decision == ROLLED_BACK and row.observer.serving.until is None:
        message = f"{row.observer.release.name} still serves this route. Roll the route back first."
        raise Conflict(message, code="serves_still", state={"release": row.observer.release_id})
    _begin_anew(row, decision, at)
    row.decision, row.comment, row.decided_at = decision, said, at
    row.decided_by, row.decided_by_label = actor.id, actor.label
    row.decided_receipt_hash = _receipt(actor, row, "decided").receipt_hash
    row.save()
    return row


def _begin_anew(row: DriftAlarm, decision: str, at: datetime) -> None:
    """Take the detector back to its beginning, so that only what comes now counts."""
    observed = ObservedSlice.objects.filter(observer=row.observer_id, slice=row.subject)
    found = observed.select_for_update(no_key=True).first() if row.kind == DriftAlarm.Kind.DRIFT else None
    if found is None:
        if decision == REBASE:
            raise invalid("decision", "Only an alarm of a slice's quality has a level to set anew.")
        return
    if decision == REBASE:
        found.detector = begun(level_of(_level(found, at)), at, known=True)
    elif found.detector is not None:
        found.detector = again(found.detector, at)
    found.save(update_fields=["detector"])


def _level(observed: ObservedSlice, at: datetime) -> float:
    found = mean_of_late(observed, at)
    if found is None:
        message = "No answers were scored within the last half hour, so there is no level to set. Keep it or roll back."
        raise Conflict(message, code="no_scores")
    return found


def _receipt(actor: Actor, row: DriftAlarm, outcome: str) -> Receipt:
    release = row.observer.release
    return append(
        actor,
        Record(
            event=Event.DRIFT_ALARMED,
            outcome=outcome,
            kind="drift-alarm",
            name=row.pk,
            application=row.route.application.slug,
            release=ReleaseRef(release.manifest_sha256, release.pk, row.route_id),
            inputs=[_input(row)],
            weights=claimed_weights(release),
            meaning="decided" if actor.kind == "person" else "recorded",
            state={
                "id": row.pk,
                "route": row.route_id,
                "observer": row.observer_id,
                "manifest_sha256": release.manifest_sha256,
                "kind": str(row.kind),
                "subject": row.subject,
                "facts": without_floats(row.facts),
                "reason": row.reason,
                "decision": row.decision or None,
                "comment": row.comment,
            },
        ),
    )


def _input(row: DriftAlarm) -> DecisionInput:
    """The number that the alarm rests on, as far as its facts have one."""
    facts = row.facts
    of_slice = row.kind == DriftAlarm.Kind.DRIFT
    return DecisionInput(
        str(facts.get("metric", QUALITY)) if of_slice else f"policy/{row.subject}",
        "alarmed",
        slice=row.subject if of_slice else None,
        value=decimal_of(facts.get("mean", facts.get("value"))),
        threshold=decimal_of(facts.get("level", facts.get("limit"))),
        op=facts.get("op", ">="),
        evidence=row.reason[:MOST_EVIDENCE],
        n=facts.get("n"),
    )
