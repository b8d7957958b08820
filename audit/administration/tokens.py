"""Tokens: made once and shown once, revoked at once."""

from collections.abc import Collection
from datetime import timedelta

from django.db import transaction

from audit.administration.rules import checked_name
from audit.events import Event
from audit.receipts import Record, append
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.bearer import fresh_token
from relcontrol.accounts.models import Membership, Person, Token
from relcontrol.accounts.permissions import ADMINISTER, SCOPES
from relcontrol.clock import now
from relcontrol.errors import Forbidden, invalid

MAX_DAYS = 3650


@transaction.atomic
def create_token(
    *, actor: Actor, name: str, scopes: Collection[str] = (), person: Person | None = None, days: int | None = None
) -> tuple[Token, str]:
    """A service token with scopes, or a person's own token. Returns the row and the text that is shown once.

    An administrator makes service tokens; a person's token is made by that person or on the machine itself, so that
    nobody can act in another's name.
    """
    if person is None:
        actor.require(ADMINISTER)
    elif actor.kind != "system" and actor.person != person:
        raise Forbidden("A person's own token is made by that person only.")
    if person and not Membership.objects.filter(organization=actor.organization, person=person).exists():
        raise invalid("person", "This person is no member of the organization.")
    fresh, at = fresh_token(), now()
    token = Token.objects.create(
        organization=actor.organization,
        person=person,
        name=checked_name(name),
        public=fresh.public,
        secret_sha256=fresh.secret_sha256,
        scopes=_checked_scopes(scopes, person),
        created_by=actor.id,
        created_at=at,
        expires_at=at + timedelta(days=_checked_days(days)) if days is not None else None,
    )
    append_token_changed(actor, token, "created")
    return token, fresh.text


@transaction.atomic
def revoke_token(*, actor: Actor, token: Token) -> Token:
    """End a token now. Revoking it again changes nothing."""
    if actor.person is None or actor.person != token.person:
        actor.require(ADMINISTER)
    row = Token.objects.select_for_update(of=("self",), no_key=True).get(pk=token.pk)
    if row.revoked_at is None:
        row.revoked_at = now()
        row.save(update_fields=["revoked_at"])
        append_token_changed(actor, row, "revoked")
    return row


def _checked_scopes(scopes: Collection[str], person: Person | None) -> list[str]:
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown:
        raise invalid("scopes", f"Unknown: {', '.join(unknown)[:200]}. Known: {', '.join(SCOPES)}.")
    if person is not None and scopes:
        raise invalid("scopes", "A person's token may do what the person's roles may; leave scopes out.")
    if person is None and not scopes:
        raise invalid("scopes", f"A service token needs at least one scope: {', '.join(SCOPES)}.")
    return [scope for scope in SCOPES if scope in scopes]


def _checked_days(days: int) -> int:
    if not 1 <= days <= MAX_DAYS:
        raise invalid("expires_in_days", f"Use 1 to {MAX_DAYS} days.")
    return days


def append_token_changed(actor: Actor, token: Token, outcome: str) -> None:
    """The receipt of a token; it names the public part only. What a person calls her own is hers, and can be erased."""
    named = {"name": token.name}
    state = {
        "id": token.pk,
        **({} if token.person_id else named),
        "person": token.person_id,
        "scopes": list(token.scopes),
        "public": token.public,
    }
    record = Record(
        event=Event.TOKEN_CHANGED,
        outcome=outcome,
        kind="token",
        name=token.pk,
        state=state,
        personal=named if token.person_id else {},
    )
    append(actor, record)
