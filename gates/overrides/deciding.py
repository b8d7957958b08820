"""Deciding on an override: a second person approves or rejects it, the requester may take it back.

Each step locks route, run and override, reads them again, and leaves one receipt. Of two decisions at once the second
finds the state of the first.
"""

from datetime import datetime
from typing import Final

from django.db import transaction

from audit.events import Event
from gates.overrides.locking import (
    locked_override,
    require_first_cold_start,
    require_intact_chain,
    require_pending,
    require_same_run,
)
from gates.overrides.receipts import append_step
from gates.overrides.rules import MIN_REJECTION, checked_comment
from gates.run_models import Override
from gates.second_person import require_decider, require_other_than
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.permissions import APPROVE_OVERRIDES, REQUEST_OVERRIDES
from relcontrol.clock import now
from relcontrol.errors import Forbidden

NOT_YOURS: Final = "You cannot decide on this override"


@transaction.atomic
def approve(*, actor: Actor, override: Override, comment: object) -> Override:
    """Let the manifest into one rollout; the approver answers for it with her name."""
    actor.require(APPROVE_OVERRIDES)
    said, at = checked_comment(comment), now()
    row = _to_decide(actor, override, at)
    require_same_run(row)
    require_intact_chain(row.organization)
    if row.cold_start:
        require_first_cold_start(row.organization, row.run.candidate["route_id"], besides=row.pk)
    return _end(actor, row, Override.State.ACTIVE, said, at)


@transaction.atomic
def reject(*, actor: Actor, override: Override, comment: object) -> Override:
    """Refuse it, with the reason."""
    actor.require(APPROVE_OVERRIDES)
    said, at = checked_comment(comment, at_least=MIN_REJECTION), now()
    row = _to_decide(actor, override, at)
    return _end(actor, row, Override.State.REJECTED, said, at)


@transaction.atomic
def withdraw(*, actor: Actor, override: Override, comment: object) -> Override:
    """Take a request back; only who asked can, by the same name or the same token."""
    actor.require(REQUEST_OVERRIDES)
    said, at = checked_comment(comment), now()
    row = locked_override(override)
    if row.requested_by != actor.id:
        message = f"{row.requested_by_label} asked for it and may withdraw it. A release manager may reject it."
        raise Forbidden(message, code="not_yours")
    require_pending(row, at)
    return _end(actor, row, Override.State.WITHDRAWN, said, at)


EVENTS = {
    Override.State.ACTIVE: Event.GATE_OVERRIDDEN,
    Override.State.REJECTED: Event.OVERRIDE_REJECTED,
    Override.State.WITHDRAWN: Event.OVERRIDE_WITHDRAWN,
}


def _to_decide(actor: Actor, override: Override, at: datetime) -> Override:
    """The override, locked, if this person may decide on it and it still waits."""
    require_decider(actor, APPROVE_OVERRIDES, at)
    row = locked_override(override)
    require_other_than(actor, row.requested_by, code="own_request", words=NOT_YOURS)
    require_pending(row, at)
    return row


def _end(actor: Actor, row: Override, state: Override.State, comment: str, at: datetime) -> Override:
    row.state, row.comment, row.decided_at = state, comment, at
    row.decided_by, row.decided_by_label = actor.id, actor.label
    row.save(update_fields=["state", "comment", "decided_at", "decided_by", "decided_by_label"])
    append_step(actor, EVENTS[state], row)
    return row
