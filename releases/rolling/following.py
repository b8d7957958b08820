"""Following a rollback until every gateway has it and nothing is left in flight (domain.md "Rollback").

The last replica's times are the rollback's. Once all have come through, or after `PATIENCE`, one receipt says how it
went, and of whom it is not known. Two tickers at once follow a rollback one after the other, and write one receipt.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from audit.chain import timestamp
from audit.events import Event
from audit.receipts import Record, append
from audit.statement import DecisionInput, ReleaseRef
from relcontrol.accounts.actors import system_actor
from releases.measuring.as_json import decimal_of
from releases.rolling.receipts import claimed_weights
from releases.rolling.ways import REPLICAS, Way, last_of, looked, moment_from, ways_of
from releases.rollout_models import Rollback

PATIENCE: Final = timedelta(minutes=15)
COMMITTED: Final = "committed_at"
RECONCILED, UNCONFIRMED = "reconciled", "unconfirmed"
WAITING: Final = "Gateways have not reported yet."
TRIGGERED: Final = {
    Rollback.Trigger.PERSON: "A person asked for it.",
    Rollback.Trigger.WINDOWS: "The first of the windows below the floor began.",
    Rollback.Trigger.POLICY: "A policy was found violated.",
}

logger = logging.getLogger(__name__)


def follow_rollbacks(now: datetime) -> None:
    """Look at every rollback that has not come through; what fails with one does not keep the others waiting."""
    waiting = Rollback.objects.filter(rehearsed=False, reconciled_receipt_hash="", progress__has_key=COMMITTED)
    for key in waiting.order_by("pk").values_list("pk", flat=True):
        try:
            follow(key, now)
        except Exception:
            logger.exception("the look at rollback %s failed; it is followed again at the next one", key)


@transaction.atomic
def follow(key: str, now: datetime) -> Rollback | None:
    """One look at one rollback, as it is then; None where somebody else is looking, or it has its receipt."""
    rows = Rollback.objects.select_related("organization", "route__application", "left", "target")
    found = rows.select_for_update(no_key=True, skip_locked=True, of=("self",)).filter(pk=key)
    row = found.filter(reconciled_receipt_hash="").first()
    if row is None:
        return None
    ways = looked(row, now)
    row.progress = {**row.progress, REPLICAS: [each.as_json() for each in ways]}
    row.followed_until = now
    row.acknowledged_at = last_of(ways, "acknowledged_at")
    row.drained_at = last_of(ways, "drained_at") if row.acknowledged_at else None
    if row.drained_at or now - row.decided_at >= PATIENCE:
        row.reconciled_receipt_hash = _receipt(row, ways)
    row.save(update_fields=["progress", "followed_until", "acknowledged_at", "drained_at", "reconciled_receipt_hash"])
    return row


def _receipt(row: Rollback, ways: list[Way]) -> str:
    done = row.drained_at is not None
    record = Record(
        event=Event.DESIRED_STATE_RECONCILED,
        outcome=RECONCILED if done else UNCONFIRMED,
        kind="rollback",
        name=row.pk,
        application=row.route.application.slug,
        release=ReleaseRef(row.left.manifest_sha256, row.left_id, row.route_id),
        inputs=[_input(moment) for moment in timeline_of(row)],
        weights=claimed_weights(row.left),
        state={
            "id": row.pk,
            "rollback": row.receipt_hash,
            "route": row.route_id,
            "left": row.left.manifest_sha256,
            "target": row.target.manifest_sha256 if row.target else None,
            "generation": row.generation,
            "moments": {each.word: timestamp(each.at) if each.at else None for each in timeline_of(row)},
            "replicas": [way.as_json() for way in ways],
            "not_known_of": [way.name for way in ways if way.acknowledged_at is None or way.drained_at is None],
        },
    )
    return append(system_actor(row.organization), record).receipt_hash


@dataclass(frozen=True, slots=True)
class Moment:
    """One step of a rollback: when it was, how long after its trigger, and a sentence. Without `at` it is to come."""

    word: str
    at: datetime | None
    seconds_since_trigger: float | None
    said: str


def timeline_of(row: Rollback) -> list[Moment]:
    """Triggered, decided, committed, acknowledged, drained, in this order; nothing for a rehearsal.

    A person's rollback is triggered by her decision. `committed` is when its receipt was signed, as the last act of its
    transaction. Needs no query.
    """
    if row.rehearsed:
        return []
    began, ways = row.triggered_at or row.decided_at, ways_of(row)
    committed = moment_from(row.progress.get(COMMITTED))
    steps = (
        ("triggered", began, TRIGGERED[Rollback.Trigger(row.trigger)]),
        ("decided", row.decided_at, f"{row.decided_by_label} decided to roll back."),
        ("committed", max(committed, row.decided_at) if committed else None, f"Generation {row.generation:,}."),
        ("acknowledged", row.acknowledged_at, _acknowledged(row, ways)),
        ("drained", row.drained_at, _drained(row, ways)),
    )
    return [Moment(word, at, (at - began).total_seconds() if at else None, said) for word, at, said in steps]


def _acknowledged(row: Rollback, ways: list[Way]) -> str:
    if not ways:
        return "No gateway has reported, so it is not known who has it." if row.reconciled_receipt_hash else WAITING
    have = sum(way.acknowledged_at is not None for way in ways)
    lost = [way.name for way in ways if way.lost and way.acknowledged_at is None]
    said = f"{have} of {len(ways)} gateways have it."
    return f"{said} Not heard of again: {', '.join(lost)}." if lost else said


def _drained(row: Rollback, ways: list[Way]) -> str:
    if not ways:
        return "What is in flight is not known."
    busy, done = sum(way.in_flight for way in ways if not way.lost), sum(way.drained_at is not None for way in ways)
    if busy:
        return f"{busy:,} {'request' if busy == 1 else 'requests'} of {row.left.name} are being finished."
    return f"{done} of {len(ways)} gateways have nothing of {row.left.name} in flight."


def _input(moment: Moment) -> DecisionInput:
    return DecisionInput(
        metric=f"rollback/{moment.word}",
        verdict="reached" if moment.at else "missing",
        value=decimal_of(moment.seconds_since_trigger),
        evidence="seconds since its trigger" if moment.at else moment.said,
    )
