"""Adding, changing and switching off the sinks of an organization; each change leaves a receipt.

A sink that is added or changed is given the next checkpoint within seconds, so that an administrator sees at once
whether it works.
"""

from collections.abc import Mapping
from typing import Any, Final

from django.db import IntegrityError, transaction

from audit.administration.rules import checked_name
from audit.anchor_models import Anchor, AnchorSink
from audit.anchors.checkpoints import SWITCHED_OFF, locked_schedule
from audit.anchors.kinds import sink_of
from audit.anchors.selectors import sinks_of
from audit.events import Event
from audit.receipts import Record, append
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.permissions import ADMINISTER
from relcontrol.accounts.selectors import found
from relcontrol.clock import now
from relcontrol.errors import Conflict, Invalid, invalid
from relcontrol.jobs.leases import cancel
from relcontrol.jobs.models import LeasedJob

KIND: Final = "anchor_sink"
MAX_NAME: Final = 100
MOST_SINKS: Final = 20
OPEN: Final = (LeasedJob.State.QUEUED, LeasedJob.State.RUNNING)


@transaction.atomic
def add_sink(*, actor: Actor, name: str, kind: str, settings: Mapping[str, Any]) -> AnchorSink:
    """A new sink, switched on. Its settings depend on its kind (docs/receipts.md "Anchors")."""
    actor.require(ADMINISTER)
    checked = sink_of(kind).checked(settings)
    locked_schedule(actor.organization)
    if sinks_of(actor.organization).count() >= MOST_SINKS:
        raise Conflict(f"There are {MOST_SINKS} sinks already, with those that are switched off. Change one of them.")
    row = AnchorSink(organization=actor.organization, name=_checked_name(name), kind=kind, settings=checked)
    row.created_at = now()
    _save(row, insert=True)
    _record(actor, row, "created")
    return row


@transaction.atomic
def change_sink(
    *,
    actor: Actor,
    sink: AnchorSink,
    name: str | None = None,
    settings: Mapping[str, Any] | None = None,
    enabled: bool | None = None,
    expected_revision: int | None = None,
) -> AnchorSink:
    """Change what is given; the rest stays. What this sink had still to anchor is cancelled and given to it anew.

    `expected_revision` is the one last seen. Without any difference nothing is written.
    """
    actor.require(ADMINISTER)
    locked_schedule(actor.organization)
    rows = sinks_of(actor.organization).select_for_update(no_key=True)
    row = found(rows, "anchor sink", pk=sink.pk)
    if expected_revision not in {None, row.revision}:
        message = f"This sink is at revision {row.revision}, not {expected_revision}. Read it again, then change it."
        raise Conflict(message, code="stale", state={"revision": row.revision})
    before = (row.name, row.settings, row.enabled)
    was_on = row.enabled
    row.name = row.name if name is None else _checked_name(name)
    row.settings = row.settings if settings is None else sink_of(row.kind).checked(settings)
    row.enabled = row.enabled if enabled is None else enabled
    if (row.name, row.settings, row.enabled) == before:
        return row
    row.revision += 1
    _save(row, insert=False)
    _cancel_open(row)
    _record(actor, row, _outcome(was_on, row.enabled))
    return row


def _outcome(was_on: bool, is_on: bool) -> str:
    if was_on == is_on:
        return "changed"
    return "switched_on" if is_on else "switched_off"


def _save(row: AnchorSink, *, insert: bool) -> None:
    try:
        with transaction.atomic():
            row.save(force_insert=insert, force_update=not insert)
    except IntegrityError as error:
        raise invalid("name", f"There is a sink {row.name} already. Give another name.") from error


def _cancel_open(row: AnchorSink) -> None:
    waiting = Anchor.objects.filter(sink=row, state__in=OPEN)
    waiting.update(problem=SWITCHED_OFF)
    cancel(waiting, now())


def _checked_name(name: str) -> str:
    try:
        text = checked_name(name)
    except Invalid as error:
        raise invalid("name", f"Use 1 to {MAX_NAME} characters, all printable.") from error
    if len(text) > MAX_NAME:
        raise invalid("name", f"Use 1 to {MAX_NAME} characters, all printable.")
    return text


def _record(actor: Actor, row: AnchorSink, outcome: str) -> None:
    state = {
        "id": row.pk,
        "name": row.name,
        "kind": row.kind,
        "revision": row.revision,
        "settings": row.settings,
        "enabled": row.enabled,
    }
    append(actor, Record(event=Event.POLICY_CHANGED, outcome=outcome, kind=KIND, name=row.pk, state=state))
