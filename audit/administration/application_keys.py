"""Application keys: what the clients of an application show a gateway. Made once, shown once, revoked at once.

Of the text `rck_<public>.<secret>` only the SHA-256 of the whole is kept; gateways find a key by it (gateway.md "The
snapshot"). Every change is a new generation of the routing, because gateways must hear of it.
"""

import hashlib
import secrets

from django.db import transaction
from django.db.models import QuerySet

from audit.administration.routing import next_generation
from audit.administration.rules import checked_name
from audit.events import Event
from audit.receipts import Record, append
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Application, ApplicationKey, Route
from relcontrol.accounts.permissions import ADMINISTER
from relcontrol.accounts.selectors import found
from relcontrol.clock import now
from relcontrol.errors import invalid

MAX_NAME = 100
KIND = "application-key"


def keys_of(application: Application) -> QuerySet[ApplicationKey]:
    """The keys of an application, newest first, revoked ones too; nothing secret is in them."""
    return ApplicationKey.objects.filter(application=application).select_related("route").order_by("-pk")


@transaction.atomic
def create_application_key(
    *, actor: Actor, application: Application, name: str, route: Route | None = None
) -> tuple[ApplicationKey, str]:
    """A new key, and its text, which is shown once. Requests that name no route go to `route`, else to the default."""
    actor.require(ADMINISTER)
    found(Application.objects.filter(organization=actor.organization), "application", pk=application.pk)
    if route is not None and route.application_id != application.pk:
        raise invalid("route", f"This route is none of {application.slug}. Name one of its own, or none.")
    public = secrets.token_hex(8)
    text = f"rck_{public}.{secrets.token_urlsafe(32)}"
    key = ApplicationKey.objects.create(
        organization=actor.organization,
        application=application,
        route=route,
        name=_checked_name(name),
        public=public,
        key_sha256=hashlib.sha256(text.encode()).hexdigest(),
        created_by=actor.id,
        created_by_label=actor.label,
        created_at=now(),
    )
    _record(actor, key, "created")
    return key, text


@transaction.atomic
def revoke_application_key(*, actor: Actor, key: ApplicationKey) -> ApplicationKey:
    """End a key now: gateways refuse it as soon as they have the next generation. Again changes nothing."""
    actor.require(ADMINISTER)
    rows = ApplicationKey.objects.filter(organization=actor.organization).select_related("application", "route")
    row = found(rows.select_for_update(of=("self",), no_key=True), "application key", pk=key.pk)
    if row.revoked_at is None:
        row.revoked_at = now()
        row.save(update_fields=["revoked_at"])
        _record(actor, row, "revoked")
    return row


def _checked_name(name: str) -> str:
    text = checked_name(name)
    if len(text) > MAX_NAME:
        raise invalid("name", f"Use 1 to {MAX_NAME} characters, all printable.")
    return text


def _record(actor: Actor, key: ApplicationKey, outcome: str) -> None:
    """The next generation, then the receipt: nothing is locked after the chain head."""
    generation = next_generation(actor.organization).generation
    state = {
        "id": key.pk,
        "name": key.name,
        "public": key.public,
        "route": key.route_id,
        "generation": generation,
    }
    record = Record(
        event=Event.APPLICATION_CHANGED,
        outcome=outcome,
        kind=KIND,
        name=key.pk,
        application=key.application.slug,
        state=state,
    )
    append(actor, record)
