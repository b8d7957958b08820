"""A person's commands to a rollout: pause, resume, promote, halt, each with a reason (contracts.md "States").

Monitors are read first and decide with her: where a stronger rule overtakes the command, its change is committed and
the command answered with a conflict that carries the fresh state. A service may stop a rollout, never drive it on.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from django.db import transaction

from gates.overrides.rules import checked_comment
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.permissions import WRITE_ROLLOUTS
from relcontrol.clock import now
from relcontrol.errors import Conflict, Forbidden, NotFound
from releases.measuring.as_json import inputs_of
from releases.rolling.applying import apply
from releases.rolling.facts import facts_of
from releases.rolling.locking import lock_rollout
from releases.rolling.looking import Look, look_at
from releases.rolling.selectors import rollout_named
from releases.rolling.storing import value_of
from releases.rollout_models import Rollout
from releases.rollouts import commands, states
from releases.rollouts.commands import Order
from releases.rollouts.decisions import Decision
from releases.rollouts.evidence import Facts, MonitorVerdicts

Command = Callable[[states.Rollout, datetime, Order, MonitorVerdicts, Facts], Decision]

COMMANDS: Final[dict[str, Command]] = {
    "pause": commands.pause,
    "resume": commands.resume,
    "promote": commands.promote,
    "halt": lambda rollout, at, order, _, facts: commands.halt(rollout, at, order, facts),
}
OF_PERSONS: Final = frozenset({"resume", "promote"})
MIN_REASON: Final = 5


def command(
    *, actor: Actor, rollout_id: str, name: str, reason: object, expected_version: int | None = None
) -> Rollout:
    """Carry a command out and return the rollout as it is then. `Conflict` where it was refused or overtaken."""
    row, conflict = attempt(
        actor=actor, rollout_id=rollout_id, name=name, reason=reason, expected_version=expected_version
    )
    if conflict is not None:
        raise conflict
    return row


def attempt(
    *, actor: Actor, rollout_id: str, name: str, reason: object, expected_version: int | None = None
) -> tuple[Rollout, Conflict | None]:
    """The same with the conflict as a value: inside of a transaction, raising it would undo what overtook it."""
    actor.require(WRITE_ROLLOUTS)
    if name not in COMMANDS:
        raise NotFound(f"A rollout knows no {name}; use {', '.join(COMMANDS)}.")
    if name in OF_PERSONS and actor.kind == "service":
        raise Forbidden(f"To {name} a rollout takes a person; a service token may pause and halt.")
    said = checked_comment(reason, at_least=MIN_REASON, field="reason")
    row = rollout_named(actor.organization, rollout_id)
    look = look_at(row, now())
    seen = look.value.version if expected_version is None else expected_version
    decision = _decided(actor, row, look, name, Order(actor.label, said, seen))
    return rollout_named(actor.organization, rollout_id), decision.conflict()


@transaction.atomic
def _decided(actor: Actor, row: Rollout, look: Look, name: str, order: Order) -> Decision:
    """The decision, carried out. A refusal is a value here, so that what it comes with is committed all the same."""
    locked, at = lock_rollout(row.pk), now()
    decision = COMMANDS[name](value_of(locked), at, order, look.measured, facts_of(locked, at))
    if decision.changes:
        apply(actor, locked, decision, at, inputs=inputs_of(look.measured))
    return decision
