"""Setting a gate policy, and going back from an application's own one: each a revision with its receipt."""

from typing import Any, Final

from django.db import IntegrityError, transaction

from audit.events import Event
from audit.receipts import Record, append
from audit.statement import Policy
from gates.models import GatePolicy
from gates.policies.definition import Definition, definition_from
from gates.policies.rules import changed_definition
from gates.policies.selectors import Pinned, policies_of, policy_for
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Application
from relcontrol.accounts.permissions import ADMINISTER
from relcontrol.clock import now
from relcontrol.errors import Conflict, NotFound

KIND: Final = "gate-policy"
OF_ORGANIZATION: Final = "organization"


@transaction.atomic
def set_policy(
    *, actor: Actor, application: Application | None, expected_revision: int | None = None, **fields: Any
) -> Pinned:
    """Set the given fields of an application's policy, or without one of the organization's.

    What is left out stays as this policy has it; a new policy begins with the product's defaults and takes nothing
    from any other. `expected_revision` is the one last seen, 0 where there was none. Without any difference nothing
    is written.
    """
    actor.require(ADMINISTER)
    row = _locked(actor, application)
    _require_seen(row, expected_revision)
    before = definition_from(row.definition) if row else Definition()
    after = changed_definition(before, fields)
    if row is not None and after == before:
        return Pinned(after, row)
    row = _saved(actor, application, row, after)
    pinned = Pinned(after, row)
    outcome = "created" if row.revision == 1 else "changed"
    _record(actor, application, outcome, {"id": row.pk, "revision": row.revision, **after.as_json()}, pinned)
    return pinned


@transaction.atomic
def remove_policy(*, actor: Actor, application: Application | None, expected_revision: int | None = None) -> Pinned:
    """Remove a policy that was set; returns the one that holds from now on."""
    actor.require(ADMINISTER)
    row = _locked(actor, application)
    if row is None:
        raise NotFound(f"No gate policy of {_name(application)} was set, so there is none to remove.")
    _require_seen(row, expected_revision)
    removed = {"id": row.pk, "revision": row.revision}
    row.delete()
    holds = policy_for(actor.organization, application)
    _record(actor, application, "removed", {"removed": removed, "holds": holds.as_json()}, holds)
    return holds


def _locked(actor: Actor, application: Application | None) -> GatePolicy | None:
    rows = policies_of(actor.organization).select_for_update(no_key=True, of=("self",))
    return rows.filter(application=application).first()


def _require_seen(row: GatePolicy | None, expected: int | None) -> None:
    revision = row.revision if row else 0
    if expected is not None and expected != revision:
        message = f"This gate policy is at revision {revision}, not {expected}. Read it again, then change it."
        raise Conflict(message, code="stale", state={"revision": revision})


def _saved(actor: Actor, application: Application | None, row: GatePolicy | None, after: Definition) -> GatePolicy:
    made = row is None
    row = row or GatePolicy(organization=actor.organization, application=application, revision=0)
    row.revision += 1
    row.definition, row.sha256 = after.as_json(), after.sha256()
    row.changed_by_label, row.changed_at = actor.label, now()
    try:
        with transaction.atomic():
            row.save(force_insert=made, force_update=not made)
    except IntegrityError as error:
        message = "Somebody else has set this gate policy at the same moment. Read it again, then change it."
        raise Conflict(message, code="stale", state={"revision": 1}) from error
    return row


def _record(actor: Actor, application: Application | None, outcome: str, state: dict[str, Any], holds: Pinned) -> None:
    append(
        actor,
        Record(
            event=Event.POLICY_CHANGED,
            outcome=outcome,
            kind=KIND,
            name=_name(application),
            application=application.slug if application else "",
            state=state,
            policy=Policy(holds.id, holds.revision, holds.sha256),
        ),
    )


def _name(application: Application | None) -> str:
    return application.slug if application else OF_ORGANIZATION
