"""Saved scopes: what somebody exports again and again, under a name.

A convenience, so saving and deleting one leaves no receipt; each export that is made with it does. What a scope names
is checked when it is saved and again when it is used: a release or a person is kept by its id, never by a name.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from audit.administration.rules import checked_name
from audit.chain import timestamp
from audit.evidence_models import SavedScope
from audit.exporting.exports import request_export
from audit.exporting.scopes import checked_scope
from audit.models import Export
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Organization
from relcontrol.accounts.permissions import SAVE_SCOPES
from relcontrol.clock import now
from relcontrol.errors import Conflict, invalid

MAX_NAME, MOST = 100, 200
ENDS = ("from", "to")


def scopes_of(organization: Organization) -> QuerySet[SavedScope]:
    """Saved scopes of an organization, newest first."""
    return SavedScope.objects.filter(organization=organization).order_by("-pk")


@transaction.atomic
def save_scope(
    *,
    actor: Actor,
    name: str,
    scope: dict[str, Any],
    start: datetime | None = None,
    end: datetime | None = None,
    opens: str = Export.Opens.ALL,
) -> SavedScope:
    """Keep a scope under a name that no other scope here has. Raises `Invalid` or `Conflict`."""
    actor.require(SAVE_SCOPES)
    if opens not in Export.Opens.values:
        raise invalid("opens", f"Use one of {', '.join(Export.Opens.values)}.")
    if start and end and start >= end:
        raise invalid("to", "The time range must end after it starts.")
    ends = {"from": timestamp(start) if start else None, "to": timestamp(end) if end else None}
    row = SavedScope(
        organization=actor.organization,
        name=_checked_name(name),
        scope=checked_scope(actor, scope) | ends,
        opens=opens,
        created_by=actor.id,
        created_at=now(),
    )
    if scopes_of(actor.organization).count() >= MOST:
        raise Conflict(f"There are {MOST} saved scopes. Delete one that nobody uses.", code="too_many_scopes")
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict(f"There is a saved scope {row.name} already.", code="scope_exists") from error
    return row


@transaction.atomic
def delete_scope(*, actor: Actor, row: SavedScope) -> None:
    """Forget it; exports that were made with it stay."""
    actor.require(SAVE_SCOPES)
    scopes_of(actor.organization).filter(pk=row.pk).delete()


def export_again(*, actor: Actor, row: SavedScope) -> Export:
    """Ask for an export of this scope as it is by now."""
    what, ends = parts_of(row)
    return request_export(actor=actor, scope=what, start=ends["from"], end=ends["to"], opens=row.opens)


def parts_of(row: SavedScope) -> tuple[dict[str, Any], Mapping[str, datetime | None]]:
    """What the scope names, and its time range."""
    what = {name: value for name, value in row.scope.items() if name not in ENDS}
    return what, {end: datetime.fromisoformat(row.scope[end]) if row.scope[end] else None for end in ENDS}


def _checked_name(name: str) -> str:
    text = checked_name(name)
    if len(text) > MAX_NAME:
        raise invalid("name", f"Use 1 to {MAX_NAME} characters, all printable.")
    return text
