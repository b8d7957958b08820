"""Judges of rules (`gates.rule_judge`): made once, with a receipt, and never changed; they score live answers here.

A slice names one as `rules:NAME@VERSION`. Where it names none, or a judge that works elsewhere, the default rules score
its live answers until that judge's scores come in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import IntegrityError, transaction

from audit.events import Event
from audit.receipts import Record, append
from audit.statement import Policy
from gates.judges import DEFAULT_RULES, EXTERNAL, judge_named, rules_definition, unsaved_judge
from gates.models import Judge
from gates.rule_judge.definition import DEFAULT, KIND, Rules, read_rules, stored_rules
from gates.slices.rules import read_judge
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Organization
from relcontrol.accounts.permissions import WRITE_GATES
from relcontrol.bundle.errors import BundleError
from relcontrol.bundle.reading import Reader
from relcontrol.errors import Conflict, FieldError, Invalid, NotFound, invalid

PREFIX: Final = f"{KIND}:"


@dataclass(frozen=True, slots=True)
class NamedRules:
    """The rules by which answers of a slice are scored here, and the name that they have."""

    name: str
    rules: Rules


def rules_for(organization: Organization, judge: str) -> NamedRules:
    """The rules that score live answers of a slice with this judge: its own, or the default where it has none.

    Raises `NotFound` for rules that nobody made.
    """
    if judge.startswith(EXTERNAL) or not judge:
        return NamedRules(DEFAULT_RULES, DEFAULT)
    row = judge_named(organization, judge)
    if row.definition["kind"] != KIND:
        return NamedRules(DEFAULT_RULES, DEFAULT)
    return NamedRules(row.name, stored_rules(row.definition))


@transaction.atomic
def create_rules_judge(*, actor: Actor, name: str, rules: object) -> tuple[Judge, bool]:
    """Make a judge of rules, with its receipt; and whether it is new. `Conflict` where the name means other rules."""
    actor.require(WRITE_GATES)
    if not name.startswith(PREFIX) or read_judge(Reader(), name) is None:
        raise invalid("name", "Write rules:NAME@VERSION, such as rules:strict@1.")
    definition = rules_definition(_read(rules))
    try:
        return _same(judge_named(actor.organization, name), definition), False
    except NotFound:
        judge = unsaved_judge(actor, name, definition)
    try:
        with transaction.atomic():
            judge.save(force_insert=True)
    except IntegrityError:  # somebody else was quicker
        return _same(judge_named(actor.organization, name), definition), False
    _record(actor, judge)
    return judge, True


def _read(rules: object) -> Rules:
    try:
        return read_rules(rules)
    except BundleError as error:
        errors = [FieldError(problem.field, problem.message) for problem in error.problems]
        raise Invalid("; ".join(f"{each.field}: {each.message}" for each in errors[:3]), errors=errors) from error


def _same(judge: Judge, definition: Mapping[str, Any]) -> Judge:
    if judge.definition == definition:
        return judge
    message = f"There is a judge {judge.name} with other rules already; a judge never changes. Take another version."
    raise Conflict(message, code="exists_already", state={"judge": judge.name, "sha256": judge.sha256})


def _record(actor: Actor, judge: Judge) -> None:
    append(
        actor,
        Record(
            event=Event.POLICY_CHANGED,
            outcome="created",
            kind="judge",
            name=judge.name,
            state={"id": judge.pk, "name": judge.name, "sha256": judge.sha256, "definition": judge.definition},
            policy=Policy(judge.pk, 1, judge.sha256),
        ),
    )
