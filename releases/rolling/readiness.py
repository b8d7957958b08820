"""What a start needs and whether it is there, as sentences why not (domain.md "Start needs")."""

from datetime import datetime, timedelta
from typing import Final

from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Endpoint
from releases.models import Release
from releases.observing.drift import open_alarms
from releases.rolling.facts import stable_manifest
from releases.rolling.order import RollOrder
from releases.rolling.selectors import open_rollout
from releases.rolling.warmth import coldness
from releases.rollout_models import Rollback
from releases.rollouts.evidence import StartFacts
from releases.routing.replicas import fingerprints_of_live
from releases.routing.serving import Unserved, endpoint_of
from releases.selectors import serving, state_of
from releases.weights.drift import IGNORE, drift_of

COOL_DOWN: Final = timedelta(minutes=30)
AGAIN: Final = frozenset({Release.Delivery.HALTED, Release.Delivery.ROLLED_BACK})


def start_facts(*, actor: Actor, release: Release, order: RollOrder, now: datetime) -> StartFacts:
    """Everything that a start of this release depends on; read under the lock of the route where it decides."""
    target = serving(release.route)
    return StartFacts(
        stable=stable_manifest(release.route),
        why_not=(*state_of(release).why_not, *_again(actor, release, order)),
        fingerprint=_fingerprint(release, now),
        target=coldness(target, now) if target else None,
        route=(*_route(actor, release, now), *_drift(release, order, now)),
    )


def _again(actor: Actor, release: Release, order: RollOrder) -> tuple[str, ...]:
    """A release that was stopped once rolls again by a person's decision only (contracts.md "Delivery")."""
    if release.delivery not in AGAIN:
        return ()
    stopped = release.get_delivery_display().lower()
    if actor.kind == "service":
        return (f"It was {stopped}; that it rolls again is a person's decision, not a service's.",)
    return () if order.reason else (f"It was {stopped}; give a `reason` why it shall roll again.",)


def _fingerprint(release: Release, now: datetime) -> str | None:
    reported = fingerprints_of_live(release.organization, now)
    if not reported:
        return "No gateway has reported in the last 15 seconds, so nothing could be routed to it. Start one."
    lacking = sorted(name for name, fingerprints in reported.items() if release.bundle_sha256 not in fingerprints)
    if not lacking:
        return None
    named = ", ".join(lacking[:3]) + (f" and {len(lacking) - 3} more" if len(lacking) > 3 else "")
    bundle = release.bundle_sha256[:12]
    return f"Not every gateway reports the fingerprint {bundle} of this release yet: {named}. Ask again in seconds."


def _route(actor: Actor, release: Release, now: datetime) -> tuple[str, ...]:
    found = (_busy(release), _cooling(actor, release, now), _alarmed(release), _unserved(release))
    return tuple(each for each in found if each)


def _busy(release: Release) -> str | None:
    running = open_rollout(release.route)
    if running is None or running.release_id == release.pk:
        return None
    return f"{running.release.name} is rolling out on this route ({running.pk}); one at a time."


def _cooling(actor: Actor, release: Release, now: datetime) -> str | None:
    """After a rollback the route rests, so that no pipeline rolls straight on; a person may decide otherwise."""
    rollbacks = Rollback.objects.filter(route=release.route, rehearsed=False, cool_down_until__gt=now)
    until = rollbacks.order_by("-cool_down_until").values_list("cool_down_until", flat=True).first()
    if until is None or actor.kind == "person":
        return None
    return f"The route was rolled back and cools down until {until:%H:%M} UTC; a person may start a rollout before."


def _alarmed(release: Release) -> str | None:
    """While something is the matter with what serves, nothing new is mixed into it (statistics.md R17)."""
    waiting = list(open_alarms(release.route).values_list("pk", "subject"))
    if not waiting:
        return None
    named = ", ".join(f"{subject} ({key})" for key, subject in waiting[:3])
    return f"What serves this route has raised an alarm that a person has to decide on first: {named}."


def _drift(release: Release, order: RollOrder, now: datetime) -> tuple[str, ...]:
    return () if order.weights_drift == IGNORE else drift_of(release, now)


def _unserved(release: Release) -> str | None:
    endpoints = Endpoint.objects.filter(organization_id=release.organization_id)
    found = endpoint_of(endpoints, release.model_ref)
    return found.sentence if isinstance(found, Unserved) else None
