"""Who may do what (domain.md "Who", api.md "Scopes"): one table for pages, API and commands.

A permission is held by roles (people) and by a scope (service tokens). The answer is a value with its reason, so
that a page can say in place of a dead button why somebody may not act.
"""

from collections.abc import Collection
from dataclasses import dataclass

from relcontrol.accounts.models import Role


@dataclass(frozen=True, slots=True)
class Permission:
    """A right: the roles that have it and the scope that grants it to a service. No scope: people only."""

    name: str
    roles: frozenset[str]
    scope: str | None = None


@dataclass(frozen=True, slots=True)
class Allowed:
    """Yes."""


@dataclass(frozen=True, slots=True)
class Denied:
    """No, and why, as a sentence for the person who asked."""

    reason: str


Answer = Allowed | Denied

EVERY_ROLE = frozenset(Role.values)
VIEW = Permission("see this organization", EVERY_ROLE, scope="*")
WRITE_RELEASES = Permission("register releases", frozenset({Role.RELEASE_MANAGER}), "releases:write")
WRITE_GATES = Permission(
    "define slices and suites", frozenset({Role.DOMAIN_OWNER, Role.RELEASE_MANAGER}), "gates:write"
)
REVIEW_GATES = Permission("sign off what a gate left for review", frozenset({Role.DOMAIN_OWNER, Role.RELEASE_MANAGER}))
RATE_ANSWERS = Permission("grade answers in a panel", EVERY_ROLE)
REQUEST_OVERRIDES = Permission("request an override", frozenset({Role.RELEASE_MANAGER}), "overrides:write")
APPROVE_OVERRIDES = Permission("approve an override", frozenset({Role.RELEASE_MANAGER}))
WRITE_ROLLOUTS = Permission("roll releases", frozenset({Role.RELEASE_MANAGER}), "rollouts:write")
WRITE_TRACES = Permission(
    "send traces and feedback", frozenset({Role.RELEASE_MANAGER, Role.DOMAIN_OWNER, Role.ADMIN}), "traces:write"
)
READ_ROUTING = Permission("read the routing", frozenset({Role.ADMIN, Role.RELEASE_MANAGER}), "routing:read")
REPORT_AS_GATEWAY = Permission("report as a gateway", frozenset({Role.ADMIN}), "gateway:heartbeat")
READ_AUDIT = Permission(
    "read and export receipts",
    frozenset({Role.AUDITOR, Role.RELEASE_MANAGER, Role.DOMAIN_OWNER, Role.ADMIN}),
    "audit:read",
)
SAVE_SCOPES = Permission("save scopes of exports", READ_AUDIT.roles)  # a service asks for what it needs each time
ADMINISTER = Permission("administer this organization", frozenset({Role.ADMIN}))

# The scopes a service token can be given; the later ones are checked by calls that come with their stage.
SCOPES = (
    "releases:write",
    "gates:write",
    "overrides:write",
    "rollouts:write",
    "traces:write",
    "routing:read",
    "gateway:heartbeat",
    "audit:read",
)


def person_may(roles: Collection[str], permission: Permission) -> Answer:
    """Whether somebody with these roles holds the permission."""
    if permission.roles & set(roles):
        return Allowed()
    needed = " or ".join(sorted(Role(role).label.lower() for role in permission.roles))
    held = ", ".join(sorted(Role(role).label.lower() for role in roles)) or "none"
    return Denied(f"To {permission.name} one must be {needed}; your roles here: {held}.")


def service_may(scopes: Collection[str], permission: Permission) -> Answer:
    """Whether a service token with these scopes holds the permission."""
    if permission.scope is None:
        return Denied(f"To {permission.name} takes a person; a service token never may.")
    if permission.scope == "*" or permission.scope in scopes:
        return Allowed()
    held = ", ".join(sorted(scopes)) or "none"
    return Denied(f"To {permission.name} this token needs the scope {permission.scope}; it has: {held}.")
