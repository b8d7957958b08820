"""Setting when an organization's log is anchored; each change is a revision with its receipt."""

from typing import Any, Final

from django.db import transaction

from audit.anchor_models import AnchorSchedule
from audit.anchors.checkpoints import locked_schedule
from audit.events import Event
from audit.receipts import Record, append
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.permissions import ADMINISTER
from relcontrol.errors import Conflict, FieldError, Invalid

KIND: Final = "anchor_schedule"
PERIODS: Final = {
    "every_receipts": (1, 1_000_000),
    "every_minutes": (1, 7 * 24 * 60),
    "overdue_minutes": (5, 30 * 24 * 60),
}
FIELDS: Final = ("every_receipts", "every_minutes", "on_promotion", "on_rollback", "overdue_minutes")


@transaction.atomic
def set_schedule(*, actor: Actor, expected_revision: int | None = None, **fields: int | bool | None) -> AnchorSchedule:
    """Set the given fields of `FIELDS`; the rest stays. None for a period: never for this reason.

    `expected_revision` is the one last seen, 1 where none was set. Without any difference nothing is written.
    """
    actor.require(ADMINISTER)
    _check(fields)
    row = locked_schedule(actor.organization)
    if expected_revision not in {None, row.revision}:
        message = f"The schedule is at revision {row.revision}, not {expected_revision}. Read it, then change it."
        raise Conflict(message, code="stale", state={"revision": row.revision})
    before = as_json(row)
    for name, value in fields.items():
        setattr(row, name, value)
    if as_json(row) == before:
        return row
    row.revision += 1
    row.save()
    state = {"revision": row.revision, **as_json(row)}
    append(actor, Record(event=Event.POLICY_CHANGED, outcome="changed", kind=KIND, name="organization", state=state))
    return row


def as_json(row: AnchorSchedule) -> dict[str, Any]:
    """What is set, by field."""
    return {name: getattr(row, name) for name in FIELDS}


def _check(fields: dict[str, int | bool | None]) -> None:
    errors = []
    for name, value in fields.items():
        if name in PERIODS:
            least, most = PERIODS[name]
            may_be_null = name != "overdue_minutes"
            fits = isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
            if not fits and not (value is None and may_be_null):
                says = f"Use a whole number from {least:,} to {most:,}{', or null for never' if may_be_null else ''}."
                errors.append(FieldError(name, says))
        elif name not in FIELDS or not isinstance(value, bool):
            errors.append(FieldError(name, "Use true or false."))
    if errors:
        raise Invalid(f"{errors[0].field}: {errors[0].message}", errors=errors)
