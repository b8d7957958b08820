"""Objects for tests, made through the same services as in life, so that each has its receipts."""

import json
from typing import Any

from django.test import Client

from audit.administration.applications import create_application, create_route
from audit.administration.organizations import create_organization
from audit.administration.people import add_person
from audit.administration.tokens import create_token
from relcontrol.accounts.actors import Actor, command_actor
from relcontrol.accounts.models import Application, Membership, Organization, Person, Route
from relcontrol.clock import now

PASSWORD = "correct horse battery staple"


def organization(slug: str = "northgate") -> Organization:
    """An organization with an empty application list."""
    return create_organization(slug=slug, name=slug.capitalize())


def application(owner: Organization, slug: str = "legal-assistant") -> Application:
    """An application with the route domain=legal."""
    made = create_application(actor=command_actor(owner), slug=slug)
    route(made)
    return made


def route(of: Application, **routing: str) -> Route:
    """A route of an application; domain=legal where nothing is given."""
    actor = command_actor(of.organization)
    return create_route(actor=actor, application=of, routing=routing or {"domain": "legal"})


def person(owner: Organization, *roles: str, email: str = "") -> Person:
    """A member with these roles, who can sign in with PASSWORD."""
    address = email or f"{'-'.join(roles) or 'viewer'}@{owner.slug}.example"
    membership = add_person(actor=command_actor(owner), email=address, roles=roles or ["viewer"], password=PASSWORD)
    return membership.person


def person_actor(owner: Organization, *roles: str) -> Actor:
    """Somebody with these roles who has just proved who she is."""
    member = person(owner, *roles)
    membership = Membership.objects.get(organization=owner, person=member)
    return Actor(
        organization=owner,
        kind="person",
        auth="session",
        person=member,
        roles=membership.roles,
        session="0123456789abcdef",
        proved_at=now(),
    )


def service_token(owner: Organization, *scopes: str) -> str:
    """The text of a service token."""
    return create_token(actor=command_actor(owner), name="ci", scopes=scopes)[1]


def person_token(owner: Organization, member: Person) -> str:
    """The text of a person's own token."""
    return create_token(actor=command_actor(owner), name="mine", person=member)[1]


class Api:
    """A client of the REST API that sends one token."""

    def __init__(self, token: str) -> None:
        self.client = Client(headers={"Authorization": f"Bearer {token}"}, raise_request_exception=False)

    def get(self, path: str, **query: str) -> Any:
        """GET."""
        return self.client.get(f"/v1/{path}", query or None)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """POST JSON."""
        return self._send("post", path, body, headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> Any:
        """PATCH JSON."""
        return self._send("patch", path, body, headers)

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        content = body if isinstance(body, (bytes, str)) else json.dumps({} if body is None else body)
        call = getattr(self.client, method)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return call(f"/v1/{path}", content, content_type="application/json", headers=named)


def api(token: str) -> Api:
    """A client with this token."""
    return Api(token)
