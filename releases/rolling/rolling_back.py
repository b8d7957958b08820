"""Rolling a route back: one transaction re-points it to what was stable on it before (domain.md "Rollback").

It is the strongest command: a rollout that runs on the route is aborted by it. What was left is marked rolled back and
does not roll again without a person. With no release to go back to, the route stops serving and its gateways answer
503. A rehearsal checks all of it and changes nothing but the chain.
"""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from audit.administration.routing import next_generation
from audit.events import Event
from audit.models import Receipt
from audit.receipts import Record, append
from audit.statement import Delivery, ReleaseRef
from gates.overrides.rules import checked_comment
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Route, RoutingState
from relcontrol.accounts.permissions import WRITE_ROLLOUTS
from relcontrol.clock import now
from relcontrol.errors import Conflict
from releases.models import Release
from releases.rolling.applying import apply
from releases.rolling.commands import MIN_REASON
from releases.rolling.locking import lock_releases, lock_route, open_rollout_of
from releases.rolling.readiness import COOL_DOWN
from releases.rolling.receipts import claimed_weights
from releases.rolling.serving import move, serve
from releases.rolling.storing import value_of
from releases.rolling.warmth import coldness, ensure_warm
from releases.rollout_models import Rollback
from releases.rollouts import commands
from releases.rollouts.commands import Order
from releases.rollouts.delivery import Move
from releases.routing.replicas import acknowledged, fingerprints_of_live
from releases.selectors import serving


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
    said = checked_comment(reason, at_least=MIN_REASON, field="reason")
    if rehearse and (likely := to or default_target(route)) is not None:
        ensure_warm(likely, now())
    with transaction.atomic():
        locked = lock_route(route.pk)  # a rollout may complete until here, and what serves with it
        left, target = _locked_pair(locked, to or default_target(locked))
        if not rehearse:
            _abort_rollout(actor, locked, said)
        return (_rehearsed if rehearse else _carried_out)(actor, locked, left, target, said)


def _abort_rollout(actor: Actor, route: Route, said: str) -> None:
    row = open_rollout_of(route)
    if row is not None:
        at = now()
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


def _carried_out(actor: Actor, route: Route, left: Release, target: Release | None, said: str) -> Rollback:
    at = now()
    before, after = move(left, Move.ROLL_BACK)
    if target is not None:
        move(target, Move.RETURN)
    routing = next_generation(route.organization)
    row = _row(actor, route, left, target, said, at, routing)
    row.cool_down_until = at + COOL_DOWN
    receipt = _receipt(actor, row, Event.ROLLBACK_MANUAL, Delivery(before, after), [])
    serve(route=route, release=target, at=at, routing=routing, receipt=receipt, actor=actor, reason=said)
    row.receipt_hash = receipt.receipt_hash
    row.save(force_insert=True)
    return row


def _rehearsed(actor: Actor, route: Route, left: Release, target: Release | None, said: str) -> Rollback:
    at = now()
    routing = RoutingState.objects.get(organization=route.organization)
    row = _row(actor, route, left, target, said, at, routing)
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
    said: str,
    at: datetime,
    routing: RoutingState,
) -> Rollback:
    return Rollback(
        organization=route.organization,
        route=route,
        left=left,
        target=target,
        reason=said,
        generation=routing.generation,
        decided_by=actor.id,
        decided_by_label=actor.label,
        decided_at=at,
    )


OUTCOMES: Final = {Event.ROLLBACK_MANUAL: "rolled_back", Event.ROLLBACK_REHEARSED: "rehearsed"}


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
            weights=claimed_weights(row.left),
            meaning="decided",
            state={
                "id": row.pk,
                "route": row.route_id,
                "left": row.left.manifest_sha256,
                "target": row.target.manifest_sha256 if row.target else None,
                "generation": row.generation,
                "reason": row.reason,
                "findings": findings,
            },
        ),
    )
