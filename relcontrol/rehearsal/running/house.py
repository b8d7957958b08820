"""The throw-away organization of a rehearsal: its people, tokens and models, an application for each failure; its end.

Receipts stay, as they always do, and so do the rows that they are about. What can go goes: routes stop serving, tokens
and keys are revoked, people leave, and what users asked and were answered is deleted with the keys that sealed it.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.db.models import QuerySet

from audit.administration.application_keys import create_application_key, revoke_application_key
from audit.administration.applications import create_application, create_endpoint, create_route
from audit.administration.organizations import create_organization
from audit.administration.people import add_person, remove_person
from audit.administration.tokens import create_token, revoke_token
from relcontrol.accounts.actors import Actor, command_actor
from relcontrol.accounts.models import ApplicationKey, Membership, Organization, Role, Route, Token
from relcontrol.rehearsal.world import DANIEL, MARA, PIPELINE
from releases.observer_models import Observer
from releases.replica_models import Replica
from releases.rolling.commands import attempt
from releases.rolling.rolling_back import roll_back
from releases.rolling.selectors import open_rollout
from releases.selectors import serving
from releases.trace_models import SubjectKey, Trace

ENDPOINT: Final = "main-llm"
SCOPES: Final = ("releases:write", "gates:write", "overrides:write", "rollouts:write", "audit:read")
GATEWAY_SCOPES: Final = ("routing:read", "gateway:heartbeat", "traces:write")
WINDOW_S: Final = 10
OVER: Final = "The rehearsal is over; the route shall serve nothing."
MOST_ROLLBACKS: Final = 5


@dataclass(frozen=True)
class Room:
    """One application of it: tokens by who calls, the key of its users, the id of its default route."""

    application: str
    tokens: Mapping[str, str]
    key: str
    route: str


@dataclass
class House:
    """The organization, with the password of its people."""

    organization: Organization
    password: str

    @property
    def actor(self) -> Actor:
        """The command, in this organization."""
        return command_actor(self.organization)

    def email(self, who: str) -> str:
        """How somebody signs in here."""
        return f"{who}@{self.organization.slug}.example"

    def gateway_token(self) -> str:
        """The token of its gateway."""
        return create_token(actor=self.actor, name="gateway", scopes=GATEWAY_SCOPES)[1]

    def room(self, application: str) -> Room:
        """A new application with the routes `domain=legal`, which is its default, and `domain=legal, tier=pro`."""
        made = create_application(actor=self.actor, slug=application)
        route = create_route(actor=self.actor, application=made, routing={"domain": "legal"})
        create_route(actor=self.actor, application=made, routing={"domain": "legal", "tier": "pro"})
        people = Membership.objects.filter(organization=self.organization).select_related("person")
        tokens = {
            row.person.name: create_token(actor=self.actor, name=application, person=row.person)[1] for row in people
        }
        tokens[PIPELINE] = create_token(actor=self.actor, name=application, scopes=SCOPES)[1]
        _, key = create_application_key(actor=self.actor, application=made, name="users")
        return Room(application, tokens, key, route.pk)

    def hasten(self) -> None:
        """Let its observers close windows of ten seconds in place of minutes."""
        for row in Observer.objects.filter(organization=self.organization, ended_at=None):
            if row.settings["window_seconds"] != WINDOW_S:
                changed = {**row.settings, "window_seconds": WINDOW_S}
                Observer.objects.filter(pk=row.pk).update(settings=changed)

    def close(self) -> str:
        """End it; the sentence that says what went and what stays."""
        for route in Route.objects.filter(organization=self.organization):
            _stop_serving(self._manager(), route)
        actor = self.actor
        for key in ApplicationKey.objects.filter(organization=self.organization, revoked_at=None):
            revoke_application_key(actor=actor, key=key)
        tokens = Token.objects.filter(organization=self.organization, revoked_at=None)
        count = sum(revoke_token(actor=actor, token=token) is not None for token in tokens)
        for row in Membership.objects.filter(organization=self.organization):
            remove_person(actor=actor, membership=row)
        traces = _deleted(Trace.objects.filter(organization=self.organization))
        _deleted(SubjectKey.objects.filter(organization=self.organization))
        _deleted(Replica.objects.filter(organization=self.organization))
        return (
            f"{self.organization.slug} is closed: its routes serve nothing, {count} tokens are revoked, its people "
            f"have left, {traces:,} traces and their keys are deleted. Its receipts stay, and what they are about."
        )

    def _manager(self) -> Actor:
        rows = Membership.objects.select_related("person").filter(organization=self.organization, person__name=MARA)
        row = rows.get()
        return Actor(organization=self.organization, kind="person", auth="command", person=row.person, roles=row.roles)


def open_house(models_url: str) -> House:
    """A new organization with two release managers, whose models answer there."""
    organization = create_organization(slug=f"rehearsal-{secrets.token_hex(3)}", name="Rehearsal")
    house = House(organization, secrets.token_urlsafe(24))
    for who in (MARA, DANIEL):
        add_person(
            actor=house.actor, email=house.email(who), name=who, roles=[Role.RELEASE_MANAGER], password=house.password
        )
    create_endpoint(actor=house.actor, name=ENDPOINT, base_url=f"{models_url}/v1")
    return house


def _stop_serving(actor: Actor, route: Route) -> None:
    if running := open_rollout(route):
        attempt(actor=actor, rollout_id=running.pk, name="halt", reason=OVER)
    for _ in range(MOST_ROLLBACKS):
        if serving(route) is None:
            return
        roll_back(actor=actor, route=route, reason=OVER)


def _deleted(rows: QuerySet[Trace] | QuerySet[SubjectKey] | QuerySet[Replica]) -> int:
    return rows.delete()[0]
