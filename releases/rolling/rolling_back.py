"""Rolling a route back: one transaction re-points it to what was stable on it before (domain.md "Rollback").

It is the strongest command: a rollout that runs on the route is aborted by it. What was left is marked rolled back and
does not roll again without a person. With no release to go back to, the route stops serving and its gateways answer
503. A rehearsal checks all of it and changes nothing but the chain.

The observer rolls back by itself, once for each release that it watches: what came by a rollback is never rolled back
automatically, nor does a route stop serving, and after a rollback the route is left alone for the cool-down.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet

from audit.administration.routing import next_generation
from audit.chain import timestamp
from audit.events import Event
from audit.models import Receipt
from audit.receipts import Record, append
from audit.statement import Delivery, ReleaseRef
from gates.overrides.rules import checked_comment
from relcontrol.accounts.actors import Actor, system_actor
from relcontrol.accounts.models import Route, RoutingState
from relcontrol.accounts.permissions import WRITE_ROLLOUTS
from relcontrol.clock import now
from relcontrol.errors import Conflict
from releases.models import Release
from releases.observer_models import Observer, WorstAnswers
from releases.rolling.applying import apply
from releases.rolling.causes import Cause, inputs_of, policy_of
from releases.rolling.commands import MIN_REASON
from releases.rolling.following import COMMITTED
from releases.rolling.locking import lock_releases, lock_route, open_rollout_of
from releases.rolling.readiness import COOL_DOWN
from releases.rolling.receipts import claimed_weights
from releases.rolling.serving import move, serve
from releases.rolling.storing import value_of
from releases.rolling.warmth import coldness, ensure_warm
from releases.rollout_models import Rollback, Serving
from releases.rollouts import commands
from releases.rollouts.commands import Order
from releases.rollouts.delivery import Move
from releases.routing.replicas import acknowledged, fingerprints_of_live
from releases.selectors import serving
from releases.worst.choosing import order_worst

BY_ROLLBACK: Final = (Event.ROLLBACK_MANUAL.value, Event.ROLLBACK_AUTO.value)


def rollback_targets(route: Route) -> QuerySet[Release]:
    """What a route can go back to, newest first: it was stable there, was replaced, and nobody has marked it bad."""
    rows = Release.objects.filter(route=route, delivery=Release.Delivery.SUPERSEDED, servings__isnull=False)
    return rows.distinct().order_by("-number")


def default_target(route: Route) -> Release | None:
    """Where a rollback goes that names no release: the previous one of what serves, else the newest that can."""
    stable, targets = serving(route), {row.pk: row for row in rollback_targets(route)}
    if stable is not None and stable.previous_release_id in targets:
        return targets[stable.previous_release_id]
    return next(iter(targets.values()), None)


def roll_back(
    *, actor: Actor, route: Route, reason: object, to: Release | None = None, rehearse: bool = False
) -> Rollback:
    """Roll a route back, or rehearse it. `Conflict` where there is nothing to leave or the target never was stable."""
    actor.require(WRITE_ROLLOUTS)
    cause = Cause(checked_comment(reason, at_least=MIN_REASON, field="reason"))
    if rehearse and (likely := to or default_target(route)) is not None:
        ensure_warm(likely, now())
    with transaction.atomic():
        locked = lock_route(route.pk)  # a rollout may complete until here, and what serves with it
        left, target = _locked_pair(locked, to or default_target(locked))
        if rehearse:
            return _rehearsed(actor, locked, left, target, cause)
        return _carried_out(actor, locked, left, target, cause, now())


def roll_back_automatically(
    *,
    observer: Observer,
    trigger: Rollback.Trigger,
    facts: Mapping[str, Any],
    triggered_at: datetime,
    reason: str,
    now: datetime,
) -> Rollback | None:
    """Roll back what an observer watches, exactly once however many ask at once; None where that is not to be.

    Not to be: it serves no longer, it came by a rollback itself, the route cools down, or nothing is there to go back
    to. `facts` is kept and goes into the receipt: of `WINDOWS` `{"slice", "windows": [{"started_at", "ended_at",
    "mean", "sd", "floor", "n", "verdict"}, …]}`, of `POLICY` `{"policy", "metric", "value", "limit", "op", "n",
    "sentence"}`; times are RFC 3339 text. `triggered_at` is when it began: the start of the first breached window.
    """
    with transaction.atomic():
        locked = lock_route(observer.route_id)
        target = default_target(locked)
        if target is None or not _may_act(observer, now):
            return None
        left, chosen = _locked_pair(locked, target)
        cause = Cause(reason, trigger, observer, facts, triggered_at)
        return _carried_out(system_actor(locked.organization), locked, left, chosen, cause, now)


def _may_act(observer: Observer, at: datetime) -> bool:
    """Under the lock of the route: it still serves what is watched, by a rollout, and nobody rolled back lately."""
    still = Serving.objects.filter(pk=observer.serving_id, release=observer.release_id, until__isnull=True)
    carried_out = Rollback.objects.filter(route=observer.route_id, rehearsed=False)
    cooling = carried_out.filter(cool_down_until__gt=at).exists()
    return still.exclude(event__in=BY_ROLLBACK).exists() and not cooling


def _abort_rollout(actor: Actor, route: Route, said: str, at: datetime) -> None:
    row = open_rollout_of(route)
    if row is not None:
        decision = commands.abort(value_of(row), at, Order(actor.label, f"the route is rolled back: {said}"))
        apply(actor, row, decision, at)


def _locked_pair(route: Route, target: Release | None) -> tuple[Release, Release | None]:
    stable = serving(route)
    if stable is None:
        raise Conflict("This route serves nothing, so there is nothing to roll back.", code="nothing_served", state={})
    rows = lock_releases([stable.pk, target.pk if target else None])
    chosen = rows[target.pk] if target else None
    if chosen is not None and not rollback_targets(route).filter(pk=chosen.pk).exists():
        possible = [each.manifest_sha256 for each in rollback_targets(route)[:10]]
        raise Conflict(
            f"{chosen.name} ({chosen.manifest_sha256[:12]}) cannot be rolled back to: it is {chosen.delivery} and was "
            "not replaced as the stable release of this route.",
            code="no_rollback_target",
            state={"targets": possible},
        )
    return rows[stable.pk], chosen


def _carried_out(
    actor: Actor, route: Route, left: Release, target: Release | None, cause: Cause, at: datetime
) -> Rollback:
    _abort_rollout(actor, route, cause.reason, at)
    before, after = move(left, Move.ROLL_BACK)
    if target is not None:
        move(target, Move.RETURN)
    routing = next_generation(route.organization)
    row = _row(actor, route, left, target, cause, at, routing)
    row.cool_down_until = at + COOL_DOWN
    event = Event.ROLLBACK_MANUAL if cause.trigger == Rollback.Trigger.PERSON else Event.ROLLBACK_AUTO
    receipt = _receipt(actor, row, event, Delivery(before, after), [])
    serve(route=route, release=target, at=at, routing=routing, receipt=receipt, actor=actor, reason=cause.reason)
    row.receipt_hash = receipt.receipt_hash
    row.progress = {COMMITTED: timestamp(receipt.issued_at)}
    row.save(force_insert=True)
    order_worst(WorstAnswers.Kind.ROLLBACK, rollback=row)
    return row


def _rehearsed(actor: Actor, route: Route, left: Release, target: Release | None, cause: Cause) -> Rollback:
    at = now()
    routing = RoutingState.objects.get(organization=route.organization)
    row = _row(actor, route, left, target, cause, at, routing)
    row.rehearsed = True
    delivery = Delivery(left.delivery, left.delivery)
    receipt = _receipt(actor, row, Event.ROLLBACK_REHEARSED, delivery, findings_of(row, at))
    row.receipt_hash = receipt.receipt_hash
    row.save(force_insert=True)
    return row


def findings_of(row: Rollback, at: datetime) -> list[str]:
    """What stands in the way of a rollback, as sentences; none where it would do what it should."""
    if row.target is None:
        return ["There is no release to go back to: the route would stop serving and answer 503."]
    reported = fingerprints_of_live(row.organization, at)
    lacking = sorted(name for name, fingerprints in reported.items() if row.target.bundle_sha256 not in fingerprints)
    done, of = acknowledged(row.organization, row.generation, at)
    found = [coldness(row.target, at)]
    found += ["No gateway has reported in the last 15 seconds."] if not reported else []
    found += [f"Gateway {name} does not have {row.target.name} ready." for name in lacking]
    found += [f"{of - done} of {of} gateways are not on generation {row.generation} yet."] if done < of else []
    return [each for each in found if each]


def _row(
    actor: Actor,
    route: Route,
    left: Release,
    target: Release | None,
    cause: Cause,
    at: datetime,
    routing: RoutingState,
) -> Rollback:
    return Rollback(
        organization=route.organization,
        route=route,
        left=left,
        target=target,
        trigger=cause.trigger,
        observer=cause.observer,
        facts=dict(cause.facts),
        triggered_at=cause.triggered_at,
        reason=cause.reason,
        generation=routing.generation,
        decided_by=actor.id,
        decided_by_label=actor.label,
        decided_at=at,
    )


OUTCOMES: Final = {
    Event.ROLLBACK_MANUAL: "rolled_back",
    Event.ROLLBACK_AUTO: "rolled_back",
    Event.ROLLBACK_REHEARSED: "rehearsed",
}


def _receipt(actor: Actor, row: Rollback, event: Event, delivery: Delivery, findings: list[str]) -> Receipt:
    return append(
        actor,
        Record(
            event=event,
            outcome=OUTCOMES[event],
            kind="rollback",
            name=row.pk,
            application=row.route.application.slug,
            release=ReleaseRef(row.left.manifest_sha256, row.left_id, row.route_id),
            delivery=delivery,
            policy=policy_of(row.observer) if row.observer else None,
            inputs=inputs_of(row.facts),
            weights=claimed_weights(row.left),
            meaning="decided" if actor.kind == "person" else "recorded",
            state={
                "id": row.pk,
                "route": row.route_id,
                "left": row.left.manifest_sha256,
                "target": row.target.manifest_sha256 if row.target else None,
                "generation": row.generation,
                "reason": row.reason,
                "findings": findings,
                "trigger": str(row.trigger),
                "triggered_at": timestamp(row.triggered_at) if row.triggered_at else None,
            },
            occurred_at=row.decided_at,
        ),
    )
