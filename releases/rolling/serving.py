"""What a route serves, written down as it changes: one open row for each route, and the deliveries that go with it."""

from datetime import datetime

from audit.models import Receipt
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Route, RoutingState
from releases.models import Release
from releases.rollout_models import Serving
from releases.rollouts.delivery import Move, delivery_after


def move(release: Release, by: Move) -> tuple[str, str]:
    """Take a locked release to its next delivery state; the one before and the one after."""
    before, release.delivery = release.delivery, delivery_after(release.delivery, by)
    release.save(update_fields=["delivery"])
    return before, release.delivery


def serve(
    *,
    route: Route,
    release: Release | None,
    at: datetime,
    routing: RoutingState,
    receipt: Receipt,
    actor: Actor,
    reason: str,
) -> None:
    """From now on the locked route serves this release, or nothing."""
    Serving.objects.filter(route=route, until__isnull=True).update(until=at)
    if release is not None:
        Serving.objects.create(
            route=route,
            release=release,
            since=at,
            generation=routing.generation,
            event=receipt.event,
            reason=reason,
            decided_by=actor.id,
            decided_by_label=actor.label,
            receipt_hash=receipt.receipt_hash,
        )
