"""Before a rollout may start: gateways are told of the release, and the way back is tried (domain.md "Start needs").

Both happen outside of the start's transaction, because gateways and model servers are asked. Nothing here decides: the
start reads what it finds. Asking twice, or being killed in between, changes nothing.
"""

import time
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from audit.administration.routing import next_generation
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.permissions import WRITE_ROLLOUTS
from relcontrol.clock import now
from releases.models import Release
from releases.rolling.locking import lock_releases, lock_route
from releases.rolling.warmth import ensure_warm
from releases.routing.replicas import fingerprints_of_live
from releases.selectors import serving, state_of

STAGED_FOR: Final = timedelta(minutes=10)
PATIENCE_S: Final = 5.0
LOOK_EVERY_S: Final = 0.1


def prepare(*, actor: Actor, release: Release, patience_s: float = PATIENCE_S) -> None:
    """Have gateways load a deployable release, wait for them within bounds, and probe what a rollback would go to."""
    actor.require(WRITE_ROLLOUTS)
    if not state_of(release).deployable:
        return
    _stage(release, now())
    stable = serving(release.route)
    if stable is not None:
        ensure_warm(stable, now())
    _await_fingerprint(release, patience_s)


@transaction.atomic
def _stage(release: Release, at: datetime) -> None:
    lock_route(release.route_id)
    row = lock_releases([release.pk])[release.pk]
    if row.staged_at is not None and at - row.staged_at < STAGED_FOR:
        return
    row.staged_at = at
    row.save(update_fields=["staged_at"])
    next_generation(row.organization)


def _await_fingerprint(release: Release, patience_s: float) -> None:
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        reported = fingerprints_of_live(release.organization, now())
        if not reported or all(release.bundle_sha256 in each for each in reported.values()):
            return
        time.sleep(LOOK_EVERY_S)
