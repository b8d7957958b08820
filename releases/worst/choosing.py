"""Ordering the worst answers of an event, in the transaction of the event (domain.md "Observe").

A halt, a rollback and an alarm each get one job, which finds them (`releases.worst.finding`) and has the kept release
answer the same prompts (`releases.worst.working`).
"""

from typing import Final

from relcontrol.clock import now
from relcontrol.jobs.wake import wake_on_commit
from releases.observer_models import DriftAlarm, WorstAnswers
from releases.rollout_models import Rollback, Rollout, RolloutStep

KIND: Final = "worst-answers"


def order_worst(
    kind: str,
    *,
    rollout: Rollout | None = None,
    rollback: Rollback | None = None,
    alarm: DriftAlarm | None = None,
) -> None:
    """Have the worst answers found of a halted rollout (`halt`), a rollback (`rollback`) or an alarm (`drift`).

    Call it in the event's transaction, once its row and its receipt are there. A second order for it changes nothing.
    """
    job = _of_event(rollout, rollback, alarm)
    job.kind, job.created_at = WorstAnswers.Kind(kind), now()
    WorstAnswers.objects.bulk_create([job], ignore_conflicts=True)
    wake_on_commit(KIND, job.pk)


def _of_event(rollout: Rollout | None, rollback: Rollback | None, alarm: DriftAlarm | None) -> WorstAnswers:
    if rollout is not None:
        halted = RolloutStep.objects.filter(rollout=rollout, act="halted").latest("version")
        return WorstAnswers(
            organization_id=rollout.organization_id,
            route_id=rollout.route_id,
            rollout=rollout,
            left_id=rollout.release_id,
            kept_id=rollout.previous_id,
            event_receipt=halted.receipt_hash,
        )
    if rollback is not None:
        return WorstAnswers(
            organization_id=rollback.organization_id,
            route_id=rollback.route_id,
            rollback=rollback,
            left_id=rollback.left_id,
            kept_id=rollback.target_id,
            event_receipt=rollback.receipt_hash,
        )
    if alarm is None:
        raise ValueError("the worst answers of what? Give a rollout, a rollback or an alarm.")
    return WorstAnswers(
        organization_id=alarm.organization_id,
        route_id=alarm.route_id,
        alarm=alarm,
        left_id=alarm.observer.release_id,
        kept_id=alarm.observer.release.previous_release_id,
        event_receipt=alarm.receipt_hash,
    )
