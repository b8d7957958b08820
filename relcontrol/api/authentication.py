"""`Authorization: Bearer rc_…` → the actor of an API call."""

from typing import Any

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.request import Request

from relcontrol.accounts.actors import Actor
from relcontrol.accounts.bearer import token_of
from relcontrol.accounts.models import Membership, Token
from relcontrol.clock import now
from relcontrol.errors import Unauthenticated


class BearerAuthentication(BaseAuthentication):
    """Bearer tokens only: a browser session is no way into the API, so no call can be forged across sites."""

    def authenticate(self, request: Request) -> tuple[Actor, Token]:
        """The actor and the token; raises `Unauthenticated`."""
        header = get_authorization_header(request).decode("latin-1")
        scheme, _, text = header.partition(" ")
        if scheme.lower() != "bearer" or not text.strip():
            raise Unauthenticated("Send `Authorization: Bearer rc_<public>.<secret>`.")
        token = token_of(text.strip(), now())
        return actor_of(token), token

    def authenticate_header(self, request: Request) -> str:
        """What a 401 answers in WWW-Authenticate."""
        return 'Bearer realm="relcontrol"'


def actor_of(token: Token) -> Actor:
    """Who acts with this token: a service, or the person it belongs to with her present roles."""
    common: dict[str, Any] = {
        "organization": token.organization,
        "auth": "token",
        "token": token,
        "session": token.public,
    }
    if token.person is None:
        return Actor(kind="service", **common)
    member = Membership.objects.filter(organization=token.organization, person=token.person).first()
    if member is None:
        raise Unauthenticated("The person this token belongs to is no longer a member of the organization.")
    return Actor(kind="person", person=token.person, roles=member.roles, proved_at=token.created_at, **common)
