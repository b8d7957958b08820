"""The one who acts: a person in a browser, a person's token, a service token, or the system itself."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from relcontrol.accounts.models import Organization, Person, Token
from relcontrol.accounts.permissions import Allowed, Answer, Denied, Permission, person_may, service_may
from relcontrol.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, in which organization, and how we know.

    `session` is a digest prefix of the browser session or the token's public part: it ties receipts of one sitting
    together without giving the session away. `proved_at` is when the person last proved who she is.
    """

    organization: Organization
    kind: Literal["person", "service", "system"]
    auth: Literal["session", "token", "command", "internal"]
    person: Person | None = None
    token: Token | None = None
    roles: Collection[str] = ()
    session: str | None = None
    proved_at: datetime | None = None

    @property
    def id(self) -> str:
        """The pseudonymous id that receipts carry."""
        if self.person is not None:
            return self.person.pk
        return self.token.pk if self.token is not None else self.auth

    @property
    def label(self) -> str:
        """A name for people, kept in rows so that history survives a deletion."""
        if self.person is not None:
            return self.person.name or self.person.email
        return self.token.name if self.token is not None else "relcontrol"

    def may(self, permission: Permission) -> Answer:
        """Whether this actor holds the permission, with the reason where not."""
        if self.kind == "system":
            return Allowed()
        if self.kind == "person":
            return person_may(self.roles, permission)
        return service_may(self.token.scopes, permission) if self.token else Denied("No token.")

    def require(self, permission: Permission) -> None:
        """Raise `Forbidden` with the reason unless the permission is held."""
        answer = self.may(permission)
        if isinstance(answer, Denied):
            raise Forbidden(answer.reason)


def system_actor(organization: Organization) -> Actor:
    """Relcontrol itself: the ticker, the worker."""
    return Actor(organization=organization, kind="system", auth="internal")


def command_actor(organization: Organization) -> Actor:
    """Whoever has a shell on the machine and runs `manage.py`."""
    return Actor(organization=organization, kind="system", auth="command")
