"""Who asked for a job: kept in its row, and found again when the job decides.

The worker acts for the requester, not for itself: the receipt names her, and she must still hold the role or scope.
"""

from typing import Any, Protocol

from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Membership, Token
from relcontrol.clock import now
from relcontrol.errors import Forbidden

GONE = "The one who asked for this is no longer a member, or the token is no longer valid. Ask for it again."


class Asked(Protocol):
    """A job's row that remembers who asked."""

    organization: Any
    requested_by: Any
    requested_with: Any


def how_known(actor: Actor) -> dict[str, Any]:
    """What a row keeps of an actor beside id and label."""
    return {"kind": actor.kind, "auth": actor.auth, "session": actor.session}


def requester_of(row: Asked) -> Actor:
    """The actor who asked, with the roles or scopes of now. Raises `Forbidden` where she is gone."""
    common = {"organization": row.organization, **row.requested_with}
    match row.requested_with["kind"]:
        case "person":
            members = Membership.objects.filter(organization=row.organization, person=row.requested_by)
            member = members.select_related("person").first()
            if member is None or not member.person.is_active:
                raise Forbidden(GONE)
            return Actor(person=member.person, roles=member.roles, **common)
        case "service":
            token = Token.objects.filter(organization=row.organization, pk=row.requested_by).first()
            if token is None or token.revoked_at or (token.expires_at and token.expires_at <= now()):
                raise Forbidden(GONE)
            return Actor(token=token, **common)
    return Actor(**common)
