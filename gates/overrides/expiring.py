"""Overrides that lapse: 24 hours after the request, approved or not. The ticker writes down what holds already."""

from datetime import datetime
from typing import Final

from django.db import transaction

from audit.events import Event
from gates.overrides.receipts import append_step
from gates.overrides.rules import OPEN
from gates.run_models import Override
from relcontrol.accounts.actors import system_actor

PER_TICK: Final = 100


def expire_due(at: datetime) -> int:
    """Write down which overrides have lapsed, a bounded number at a time; how many."""
    due = Override.objects.filter(state__in=OPEN, expires_at__lte=at).order_by("expires_at", "pk")
    return sum(_expired(key, at) for key in due.values_list("pk", flat=True)[:PER_TICK])


@transaction.atomic
def _expired(key: str, at: datetime) -> bool:
    """Whether this one was still open; somebody may have used or withdrawn it since."""
    rows = Override.objects.filter(pk=key, state__in=OPEN, expires_at__lte=at)
    rows = rows.select_related("organization", "run", "run__application").defer("run__body")
    row = rows.select_for_update(no_key=True, of=("self",)).first()
    if row is None:
        return False
    expire(row)
    return True


def expire(row: Override) -> None:
    """End a lapsed override, within the transaction that holds its lock or that of its gate run."""
    row.state = Override.State.EXPIRED
    row.save(update_fields=["state"])
    append_step(system_actor(row.organization), Event.OVERRIDE_EXPIRED, row)
