"""Making, changing and removing further policies, each with its receipt (domain.md "Roll").

Rollouts that run keep the policies that they pinned at their start.
"""

from dataclasses import replace
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from audit.events import Event
from audit.receipts import Record, append
from audit.statement import Policy
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Application, Organization, Route
from relcontrol.accounts.permissions import ADMINISTER
from relcontrol.accounts.selectors import found
from relcontrol.bundle.canonical import sha256_hex
from relcontrol.clock import now
from relcontrol.errors import Conflict
from releases.measuring.as_json import decimal_of
from releases.measuring.policy_definition import Definition
from releases.measuring.policy_rules import checked_policy, checked_policy_name
from releases.rollout_models import RoutePolicy

KIND: Final = "rollout-policy"


def policies_of(organization: Organization) -> QuerySet[RoutePolicy]:
    """The policies of an organization, with what they are shown beside."""
    rows = RoutePolicy.objects.filter(organization=organization)
    return rows.select_related("application", "route").order_by("application__slug", "name")


def policy_named(organization: Organization, key: str) -> RoutePolicy:
    """One policy of an organization by its id."""
    return found(policies_of(organization), "rollout policy", pk=key)


@transaction.atomic
def create_policy(
    *, actor: Actor, application: Application, definition: Definition, route: Route | None = None
) -> RoutePolicy:
    """Make a policy of one route, or without one of all routes of an application."""
    actor.require(ADMINISTER)
    application = found(Application.objects.filter(organization=actor.organization), "application", pk=application.pk)
    if route is not None:
        route = found(application.routes.all(), "route", pk=route.pk)
    row = RoutePolicy(organization=actor.organization, application=application, route=route)
    _write(actor, row, definition)
    _record(actor, row, "created")
    return row


@transaction.atomic
def change_policy(
    *, actor: Actor, target: RoutePolicy, expected_revision: int | None = None, **fields: Any
) -> RoutePolicy:
    """Change the given fields; those left out stay. A limit takes the place of the other one. No change, no receipt."""
    actor.require(ADMINISTER)
    row = _locked(actor, target, expected_revision)
    before = Definition.of_row(row)
    if "maximum" in fields or "minimum" in fields:
        fields = {"maximum": None, "minimum": None} | fields
    after = replace(before, **fields)
    if after == before:
        return row
    _write(actor, row, replace(after, revision=before.revision + 1))
    _record(actor, row, "changed")
    return row


@transaction.atomic
def remove_policy(*, actor: Actor, target: RoutePolicy, expected_revision: int | None = None) -> None:
    """Remove a policy; rollouts that pinned it keep it."""
    actor.require(ADMINISTER)
    row = _locked(actor, target, expected_revision)
    _record(actor, row, "removed")
    row.delete()


def _locked(actor: Actor, target: RoutePolicy, expected: int | None) -> RoutePolicy:
    rows = policies_of(actor.organization).select_for_update(no_key=True, of=("self",))
    row = found(rows, "rollout policy", pk=target.pk)
    if expected is not None and expected != row.revision:
        message = f"This policy is at revision {row.revision}, not {expected}. Read it again, then change it."
        raise Conflict(message, code="stale", state={"revision": row.revision})
    return row


def _write(actor: Actor, row: RoutePolicy, policy: Definition) -> None:
    policy = checked_policy(replace(policy, name=checked_policy_name(policy.name)))
    made = policy.revision == 1
    row.name, row.metric, row.maximum, row.minimum = policy.name, policy.metric, policy.maximum, policy.minimum
    row.window_seconds, row.n_min, row.action, row.dry = policy.window_seconds, policy.n_min, policy.action, policy.dry
    row.revision, row.changed_by_label, row.changed_at = policy.revision, actor.label, now()
    try:
        with transaction.atomic():
            row.save(force_insert=made, force_update=not made)
    except IntegrityError as error:
        message = f"{row.application} has a rollout policy {policy.name} already."
        raise Conflict(message, code="exists_already") from error


def _record(actor: Actor, row: RoutePolicy, outcome: str) -> None:
    state = _state(row)
    append(
        actor,
        Record(
            event=Event.POLICY_CHANGED,
            outcome=outcome,
            kind=KIND,
            name=row.name,
            application=row.application.slug,
            state=state,
            policy=Policy(row.pk, row.revision, sha256_hex(state)),
        ),
    )


def _state(row: RoutePolicy) -> dict[str, Any]:
    """The policy without floats, as receipts commit to it."""
    policy = Definition.of_row(row)
    limits = {"maximum": decimal_of(policy.maximum), "minimum": decimal_of(policy.minimum)}
    return policy.as_json() | limits | {"application": row.application.slug, "route": row.route_id}
