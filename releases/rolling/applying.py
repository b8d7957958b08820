"""Carrying out a decision about a rollout: rows, routing and receipt in one transaction (contracts.md "Lock order").

The caller has locked the route, the releases and the rollout and has made the decision under these locks.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from audit.administration.routing import next_generation
from audit.models import Receipt
from audit.statement import DecisionInput, Delivery, Override
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import RoutingState
from releases.observer_models import WorstAnswers
from releases.rolling.receipts import append_move
from releases.rolling.serving import move, serve
from releases.rolling.storing import columns_of
from releases.rollout_models import Rollout, RolloutStep
from releases.rollouts.decisions import Act, Decision
from releases.rollouts.delivery import MOVE_OF, Move
from releases.worst.choosing import order_worst

ROUTED: Final = frozenset({Act.STARTED, Act.PROMOTED, Act.COMPLETED, Act.HALTED, Act.ABORTED})
ENTERING: Final = frozenset({Act.STARTED, Act.PROMOTED})


def apply(
    actor: Actor,
    row: Rollout,
    decision: Decision,
    now: datetime,
    *,
    inputs: Sequence[DecisionInput] = (),
    override: Override | None = None,
) -> Receipt:
    """Store what was decided, tell the gateways of it, and write its receipt."""
    value = decision.rollout
    if value is None or not decision.changes:
        raise ValueError("only a decision that changes a rollout is carried out")
    for name, content in columns_of(value).items():
        setattr(row, name, content)
    row.ended_at = now if value.over else None
    before, after = _moved(row, decision.act)
    routing = next_generation(row.organization) if decision.act in ROUTED else None
    if routing is not None and decision.act in ENTERING:
        row.entered_generation = routing.generation
    row.save()
    delivery = Delivery(before, after)
    receipt = append_move(
        actor,
        row,
        decision,
        at=now,
        delivery=delivery,
        routing_generation=routing.generation if routing else None,
        inputs=inputs,
        override=override,
    )
    if decision.act is Act.COMPLETED and routing is not None:
        _take_over(actor, row, decision, now, routing, receipt)
    _step(actor, row, decision, now, receipt)
    if decision.act is Act.HALTED:
        order_worst(WorstAnswers.Kind.HALT, rollout=row)
    return receipt


def _moved(row: Rollout, act: Act) -> tuple[str, str]:
    """The delivery of the release before and after; the one that it replaces goes first, as a route has one stable."""
    if act is Act.COMPLETED and row.previous is not None:
        move(row.previous, Move.REPLACE)
    if act in MOVE_OF:
        return move(row.release, MOVE_OF[act])
    return row.release.delivery, row.release.delivery


def _take_over(
    actor: Actor, row: Rollout, decision: Decision, now: datetime, routing: RoutingState, receipt: Receipt
) -> None:
    reason = decision.reasons[0] if decision.reasons else ""
    serve(route=row.route, release=row.release, at=now, routing=routing, receipt=receipt, actor=actor, reason=reason)


def _step(actor: Actor, row: Rollout, decision: Decision, now: datetime, receipt: Receipt) -> None:
    percent = row.plan[row.checkpoint - 1]["percent"] if row.checkpoint else 0
    RolloutStep.objects.create(
        rollout=row,
        version=row.version,
        act=decision.act.value,
        state=row.state,
        checkpoint=row.checkpoint,
        percent=percent,
        reasons=list(decision.reasons),
        actor=actor.id,
        actor_label=actor.label,
        receipt_hash=receipt.receipt_hash,
        receipt_seq=receipt.seq,
        at=now,
    )
