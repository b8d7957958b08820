"""Starting a rollout: every condition under the route's lock, then rows, routing and receipt in one transaction.

This is the one way for API, page and command. An override that lets the release go is used up by it.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from audit.statement import Override as OverrideClaim
from gates.overrides.receipts import claim_of
from gates.overrides.using import use_override
from gates.runs.selectors import deciding_run
from gates.standing import Standing
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.permissions import WRITE_ROLLOUTS
from relcontrol.clock import now
from relcontrol.errors import Conflict
from releases.checkpoints import Checkpoint
from releases.models import Release
from releases.rolling.applying import apply
from releases.rolling.locking import lock_releases, lock_route
from releases.rolling.order import SHADOW, RollOrder
from releases.rolling.readiness import start_facts
from releases.rolling.settings import settings_for
from releases.rolling.storing import columns_of, plan_as_json
from releases.rollout_models import Rollout
from releases.rollouts.commands import Order
from releases.rollouts.decisions import Decision
from releases.rollouts.foreseeing import foreseen
from releases.rollouts.starting import shadow_like, start
from releases.selectors import state_of

DEFAULT_REASON: Final = "asked for it"


@dataclass(frozen=True, slots=True)
class DryStart:
    """What a start would do now, without effect: nothing stands against it where `why_not` is empty.

    `notes` are what somebody should know of the plan.
    """

    why_not: tuple[str, ...]
    plan: tuple[Checkpoint, ...]
    shadow: Checkpoint | None
    next_checkpoint_at: datetime | None
    notes: tuple[str, ...] = ()


def start_rollout(*, actor: Actor, release: Release, order: RollOrder) -> Rollout:
    """Start a rollout of a release that gateways have ready (`preparing.prepare`); `Conflict` with every reason."""
    actor.require(WRITE_ROLLOUTS)
    with transaction.atomic():
        route = lock_route(release.route_id)
        rows = lock_releases([release.pk, release.previous_release_id])
        row = rows[release.pk]
        row.route = route
        decision = _decided(actor, row, order)
        if conflict := decision.conflict():
            raise Conflict(conflict.detail, code=conflict.code, state=_refused(row, decision))
        return _started(actor, row, rows.get(row.previous_release_id or ""), order, decision)


def dry_start(*, actor: Actor, release: Release, order: RollOrder) -> DryStart:
    """The same decision, computed and thrown away."""
    actor.require(WRITE_ROLLOUTS)
    decision = _decided(actor, release, order)
    value = decision.rollout
    if value is None:
        return DryStart(decision.reasons, tuple(order.plan), None, None)
    return DryStart((), value.plan, value.shadow, value.entered_at + value.due, notes_on(release, order))


def notes_on(release: Release, order: RollOrder) -> tuple[str, ...]:
    """What somebody should know of this plan; a cold start has nothing to be compared with, whatever the plan."""
    return tuple(foreseen(order.plan)) if release.previous_release_id else ()


def next_checkpoint_at(row: Rollout) -> datetime:
    """When the present step is over at the earliest."""
    return row.entered_at + row.due + row.frozen


def _decided(actor: Actor, release: Release, order: RollOrder) -> Decision:
    previous, at = release.previous_release, now()
    return start(
        plan=order.plan,
        previous=previous.manifest_sha256 if previous else None,
        now=at,
        order=Order(actor.label, order.reason or DEFAULT_REASON),
        facts=start_facts(actor=actor, release=release, order=order, now=at),
        shadow=shadow_like(order.plan[0]) if order.strategy == SHADOW else None,
    )


def _refused(release: Release, decision: Decision) -> dict[str, Any]:
    state = state_of(release)
    return {"standing": state.standing, "delivery": state.delivery, "why_not": list(decision.reasons)}


def _started(actor: Actor, release: Release, previous: Release | None, order: RollOrder, decision: Decision) -> Rollout:
    value = decision.rollout
    if value is None:
        raise ValueError("a start that was not refused has a rollout")
    override, claim = _override(actor, release)
    run = deciding_run(release.organization, release.manifest_sha256)
    levels = claim.accepted_levels if claim else {}
    row = Rollout(
        organization=release.organization,
        application=release.application,
        route=release.route,
        release=release,
        previous=previous,
        plan=plan_as_json(value.plan),
        shadow=asdict(value.shadow) if value.shadow else None,
        settings=settings_for(
            route=release.route,
            run=run,
            accepted_levels=levels,
            dry=order.dry_monitors,
            weights_drift=order.weights_drift,
        ),
        override=override,
        entered_generation=0,  # known when the routing is counted on, in this transaction
        started_by=actor.id,
        started_by_label=actor.label,
        started_at=value.entered_at,
        **columns_of(value),
    )
    apply(actor, row, decision, value.entered_at, override=claim)
    return row


def _override(actor: Actor, release: Release) -> tuple[dict[str, Any] | None, OverrideClaim | None]:
    """The override that lets this release go, used up; nothing for one that has passed."""
    if state_of(release).standing != Standing.OVERRIDDEN:
        return None, None
    used = use_override(actor=actor, manifest_sha256=release.manifest_sha256)
    return {"id": used.pk, "slices": used.slices, "accepted_levels": used.accepted_levels}, claim_of(used)
