"""Locks of deliveries in the one order of contracts.md: route, releases, rollout. The chain head comes last of all."""

from collections.abc import Iterable

from relcontrol.accounts.models import Route
from releases.models import Release
from releases.rollout_models import OVER, Rollout


def lock_route(route_id: str) -> Route:
    """The route, locked until the transaction ends: whatever changes what it serves waits here."""
    rows = Route.objects.select_related("application", "organization")
    return rows.select_for_update(no_key=True, of=("self",)).get(pk=route_id)


def lock_releases(ids: Iterable[str | None]) -> dict[str, Release]:
    """These releases by id, locked in the order of their ids."""
    wanted = sorted({each for each in ids if each is not None})
    rows = Release.objects.filter(pk__in=wanted).select_related("organization", "application", "route")
    return {row.pk: row for row in rows.select_for_update(no_key=True, of=("self",)).order_by("pk")}


def lock_rollout(rollout_id: str) -> Rollout:
    """The rollout with its route and releases, all locked and read again."""
    seen = Rollout.objects.only("route_id", "release_id", "previous_id").get(pk=rollout_id)
    route = lock_route(seen.route_id)
    releases = lock_releases([seen.release_id, seen.previous_id])
    row = Rollout.objects.select_for_update(no_key=True, of=("self",)).get(pk=rollout_id)
    row.route, row.organization, row.application = route, route.organization, route.application
    row.release = releases[row.release_id]
    row.previous = releases[row.previous_id] if row.previous_id else None
    return row


def open_rollout_of(route: Route) -> Rollout | None:
    """The one rollout of a locked route that is not over, locked with its releases."""
    key = Rollout.objects.filter(route=route).exclude(state__in=OVER).values_list("pk", flat=True).first()
    return lock_rollout(key) if key else None
