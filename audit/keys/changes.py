"""What rotation and revocation share: who may, the lock on every chain, and a receipt in each of them.

A key signs for every organization of an installation, so its change is in every chain. `EXCLUSIVE` on the heads stands
for a lock of each: it waits for the appends under way, of organizations that are being made as well, and holds off all
others until the change is committed. So no receipt is signed by a key that is retired by then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from django.db import OperationalError, connection
from django.db.models import Max

from audit.administration.routing import next_generation
from audit.events import Event
from audit.keys.signing import PURPOSES, ROUTING
from audit.models import ChainHead, KeyringEntry, Receipt
from audit.receipts import Record, append
from audit.statement import DecisionInput
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Membership, Organization
from relcontrol.accounts.permissions import ADMINISTER, Denied
from relcontrol.errors import Conflict, Forbidden, invalid

KIND: Final = "key"
LOCK: Final = "LOCK TABLE audit_chainhead IN EXCLUSIVE MODE"
WAIT: Final = "SET LOCAL lock_timeout = '10s'"
BUSY: Final = "Decisions that are under way held a chain for 10 seconds. Nothing was changed; try again."


def lock_every_chain(purpose: str) -> None:
    """Hold every chain to the end of this transaction; the routing first, where it is signed anew (lock order)."""
    if purpose == ROUTING:
        for organization in Organization.objects.order_by("pk"):
            next_generation(organization)
    with connection.cursor() as cursor:
        try:
            cursor.execute(WAIT)
            cursor.execute(LOCK)
        except OperationalError as error:
            raise Conflict(BUSY, code="chains_busy") from error
        cursor.execute("SET LOCAL lock_timeout = DEFAULT")


def required_everywhere(actor: Actor) -> None:
    """Raise `Forbidden` unless the actor administers every organization here: all of them sign with this keyring."""
    actor.require(ADMINISTER)
    for acting in in_every_organization(actor):
        if isinstance(acting.may(ADMINISTER), Denied):
            raise Forbidden(
                "This key signs for every organization of this installation, and you do not administer each of them. "
                "Whoever runs the server can change it with `manage.py keyring`."
            )


def in_every_organization(actor: Actor) -> list[Actor]:
    """The actor in each organization, with the roles held there."""
    organizations = list(Organization.objects.order_by("pk"))
    if actor.kind == "system":
        return [replace(actor, organization=one) for one in organizations]
    held = dict(Membership.objects.filter(person=actor.person).values_list("organization_id", "roles"))
    return [replace(actor, organization=one, roles=held.get(one.pk, ())) for one in organizations]


def record_everywhere(
    actor: Actor, *, event: Event, entry: KeyringEntry, inputs: Sequence[DecisionInput], state: Mapping[str, Any]
) -> list[Receipt]:
    """The same event in every chain. The key ids are in clear: an auditor must see them whatever is opened to her."""
    record = Record(
        event=event,
        outcome=event.value.partition(".")[2],
        kind=KIND,
        name=entry.keyid,
        state={"purpose": entry.purpose, **state},
        inputs=inputs,
    )
    return [append(acting, record) for acting in in_every_organization(actor)]


def key_input(verdict: str, entry: KeyringEntry, since: str | None = None) -> DecisionInput:
    """A key as an input of the decision: `current`, `retired` or `revoked`, with its id where digests stand."""
    return DecisionInput("key", verdict, slice=entry.purpose, evidence=since, evidence_sha256=entry.keyid)


def last_issued() -> datetime | None:
    """When the newest receipt of all chains was issued; call it under the lock."""
    newest: datetime | None = ChainHead.objects.aggregate(at=Max("issued_at"))["at"]
    return newest


def checked_purpose(purpose: str) -> str:
    """One of the four, or `Invalid`."""
    if purpose not in PURPOSES:
        raise invalid("purpose", f"{purpose[:40]!r} is no purpose of a key; use one of {', '.join(PURPOSES)}.")
    return purpose
