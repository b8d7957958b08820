"""Archiving: a person decides that a release which was halted or rolled back never rolls again.

It is stored and final (contracts.md "Delivery"). No gateway hears of it: what may be archived serves nothing.
"""

from typing import Final

from django.db import transaction

from audit.events import Event
from audit.receipts import Record, append
from audit.statement import Delivery, ReleaseRef
from gates.overrides.rules import checked_comment
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.permissions import WRITE_ROLLOUTS
from relcontrol.accounts.selectors import found
from relcontrol.errors import Forbidden
from releases.models import Release
from releases.rolling.commands import MIN_REASON
from releases.rolling.locking import lock_releases, lock_route
from releases.rolling.receipts import claimed_weights
from releases.rolling.serving import move
from releases.rollouts.delivery import DELIVERY, Move

ARCHIVABLE: Final = frozenset(delivery for delivery, by in DELIVERY if by is Move.ARCHIVE)


@transaction.atomic
def archive(*, actor: Actor, release: Release, reason: object) -> Release:
    """Archive a release, with its receipt. `Conflict` where it was neither halted nor rolled back."""
    actor.require(WRITE_ROLLOUTS)
    if actor.kind != "person":
        raise Forbidden("A person archives a release: in the browser, or with her own token.", code="person_needed")
    said = checked_comment(reason, at_least=MIN_REASON, field="reason")
    seen = found(Release.objects.filter(organization=actor.organization), "release", pk=release.pk)
    lock_route(seen.route_id)
    row = lock_releases([seen.pk])[seen.pk]
    before, after = move(row, Move.ARCHIVE)
    _record(actor, row, Delivery(before, after), said)
    return row


def _record(actor: Actor, row: Release, delivery: Delivery, said: str) -> None:
    append(
        actor,
        Record(
            event=Event.RELEASE_ARCHIVED,
            outcome="archived",
            kind="release",
            name=row.pk,
            application=row.application.slug,
            release=ReleaseRef(row.manifest_sha256, row.pk, row.route_id),
            delivery=delivery,
            weights=claimed_weights(row),
            meaning="decided",
            state={"id": row.pk, "name": row.name, "delivery": row.delivery, "reason": said},
        ),
    )
