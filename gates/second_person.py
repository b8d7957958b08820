"""Who may decide on what somebody else asked for: a person, lately proved, and not the one who asked (domain.md "Who").

A service token asks in the name of nobody, but whoever made it could send anything with it: what it asked for counts
as hers. In the same way a person's token counts as whoever made it, too. No role is exempt.
"""

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings

from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Token
from relcontrol.accounts.permissions import Permission
from relcontrol.errors import Forbidden

TOKEN_AGE: Final = timedelta(hours=12)


def require_decider(actor: Actor, permission: Permission, at: datetime) -> None:
    """Raise `Forbidden` unless this is a person who holds the permission and has lately proved who she is."""
    actor.require(permission)
    if actor.kind != "person":
        raise Forbidden("A person decides this: in the browser, or with her own token.", code="person_needed")
    age = TOKEN_AGE if actor.auth == "token" else timedelta(seconds=settings.STEP_UP_SECONDS)
    if actor.proved_at is None or at - actor.proved_at > age:
        raise _old_proof(actor)


def require_other_than(actor: Actor, asked_by: str, *, code: str, words: str) -> None:
    """Refuse the one who asked, under whatever name. `words` are the first half of the sentence."""
    if asked_by in _names_of(actor):
        raise Forbidden(f"{words}: you asked for it yourself. Somebody else has to look at it.", code=code)
    if _maker_of(actor, asked_by) in _names_of(actor):
        message = f"{words}: it was asked for with a service token that you made. Somebody else has to look at it."
        raise Forbidden(message, code=code)


def why_not(actor: Actor, permission: Permission, asked_by: str, *, words: str) -> str:
    """Why this person may not decide, for the place where the button would be; empty where she may."""
    try:
        actor.require(permission)
        require_other_than(actor, asked_by, code="", words=words)
    except Forbidden as error:
        return error.detail
    return ""


def _old_proof(actor: Actor) -> Forbidden:
    if actor.auth == "token":
        message = (
            "This token is older than 12 hours, which proves too little. Make a new one under Settings, or decide in "
            "the browser."
        )
        return Forbidden(message, code="stale_token")
    return Forbidden("Sign in again first: this decision needs a fresh proof of who you are.", code="proof_needed")


def _names_of(actor: Actor) -> set[str]:
    """The person, and whoever made the token that she acts with."""
    maker = actor.token.created_by if actor.token else ""
    return {actor.id, maker} if maker.startswith("prn_") else {actor.id}


def _maker_of(actor: Actor, asked_by: str) -> str | None:
    """Who made the token that asked; None where a person asked."""
    rows = Token.objects.filter(pk=asked_by, organization=actor.organization)
    return rows.values_list("created_by", flat=True).first()
