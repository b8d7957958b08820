"""Making judges: a model, rules, a composition of both, or one that works elsewhere; each with a receipt.

A judge is made once and never changes: the same name with the same content is that judge, with another content a
conflict. What a judge names must be there: its endpoint, or the judges that it is composed of.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import IntegrityError, transaction

from audit.events import Event
from audit.receipts import Record, append
from audit.statement import Policy
from gates.judges import (
    EXTERNAL,
    composition_definition,
    external_definition,
    judge_named,
    rules_definition,
    unsaved_judge,
)
from gates.llm_judge import definition as llm
from gates.models import Judge
from gates.rule_judge import definition as rules
from gates.slices.rules import read_judge
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Organization
from relcontrol.accounts.permissions import WRITE_GATES
from relcontrol.accounts.selectors import endpoints_of
from relcontrol.bundle.errors import BundleError, Problem, item
from relcontrol.bundle.reading import Reader
from relcontrol.errors import Conflict, FieldError, Invalid, NotFound, invalid

COMPOSITION: Final = "composition"
MAX_CHILDREN: Final = 10
_EXAMPLES: Final = "llm:rubric@1, rules:strict@1, composition:rubric-and-rules@1 or external:legal-judge@9"


@dataclass(frozen=True, slots=True)
class _Content:
    definition: dict[str, Any]
    prompt: dict[str, str] | None = None


@transaction.atomic
def create_judge(*, actor: Actor, name: str, fields: Mapping[str, Any]) -> tuple[Judge, bool]:
    """Make the judge of this name, with its receipt; and whether it is new. The name says of which kind it is.

    `fields` are `rules` of a judge of rules, `children` (names or ids) of a composition, `scale` of one that works
    elsewhere, and those of `gates.llm_judge.definition.FIELDS` of a model. `Conflict` where the name means another one.
    """
    actor.require(WRITE_GATES)
    kind = name.partition(":")[0]
    if kind not in _READERS or ":" not in name or read_judge(Reader(), name) is None:
        raise invalid("name", f"Write KIND:NAME@VERSION, such as {_EXAMPLES}.")
    try:
        content = _READERS[kind](actor.organization, name, fields)
    except BundleError as error:
        raise _refused(error.problems) from error
    return _made(actor, name, content)


def _made(actor: Actor, name: str, content: _Content) -> tuple[Judge, bool]:
    try:
        return _same(judge_named(actor.organization, name), content), False
    except NotFound:
        judge = unsaved_judge(actor, name, content.definition, content.prompt)
    try:
        with transaction.atomic():
            judge.save(force_insert=True)
    except IntegrityError:  # somebody else was quicker
        return _same(judge_named(actor.organization, name), content), False
    _record(actor, judge)
    return judge, True


def _of_rules(_organization: Organization, _name: str, fields: Mapping[str, Any]) -> _Content:
    reader = Reader()
    given = reader.closed(dict(fields), "", ("rules",))
    reader.close()
    if given.get("rules") is None:
        reader.refuse(
            "rules", "Write what the judge holds against an answer; {} is what the default holds.", "required"
        )
    reader.close()
    return _Content(rules_definition(rules.read_rules(given["rules"])))


def _of_a_model(organization: Organization, _name: str, fields: Mapping[str, Any]) -> _Content:
    judge = llm.read_llm_judge(fields)
    known = list(endpoints_of(organization).values_list("name", flat=True))
    if judge.endpoint not in known:
        names = f"Known: {', '.join(known[:20])}." if known else "Nobody has made one yet."
        raise invalid("endpoint", f"There is no endpoint {judge.endpoint}. {names}", code="unknown_endpoint")
    return _Content(judge.definition(), judge.prompt.as_json())


def _of_elsewhere(_organization: Organization, name: str, fields: Mapping[str, Any]) -> _Content:
    reader = Reader()
    given = reader.closed(dict(fields), "", ("scale",))
    low, high = llm.read_scale(reader, given.get("scale"), ("0", "1"))
    reader.close()
    return _Content(external_definition(name, (float(low), float(high))))


def _of_others(organization: Organization, _name: str, fields: Mapping[str, Any]) -> _Content:
    reader = Reader()
    given = reader.closed(dict(fields), "", ("children",))
    names = reader.items(given.get("children"), "children", at_most=MAX_CHILDREN)
    texts = [reader.text(name, item("children", place), at_most=llm.MAX_NAME) for place, name in enumerate(names)]
    children = [_child(organization, reader, text, item("children", place)) for place, text in enumerate(texts) if text]
    reader.close()
    found = {child.sha256: child for child in children if child}
    _check_family(reader, found.values())
    reader.close()
    return _Content(composition_definition(found.values()))


def _child(organization: Organization, reader: Reader, text: str, field: str) -> Judge | None:
    try:
        return judge_named(organization, text)
    except NotFound as error:
        reader.refuse(field, error.detail, "unknown_judge")
        return None


def _check_family(reader: Reader, children: Iterable[Judge]) -> None:
    """Rules that veto, and at most one model: two judges at least."""
    kinds = [child.definition["kind"] for child in children]
    if len(kinds) < 2 or rules.KIND not in kinds:
        reader.refuse("children", "Name at least one judge of rules, which vetoes, and one other judge.", "required")
    if kinds.count(llm.KIND) > 1:
        reader.refuse("children", "Name one judge that is a model, not several: its score is the score.", "too_many")
    if others := sorted(set(kinds) - {rules.KIND, llm.KIND}):
        reader.refuse(
            "children", f"A judge of the kind {', '.join(others)} cannot be part of a composition.", "invalid"
        )


_READERS: Final[dict[str, Callable[[Organization, str, Mapping[str, Any]], _Content]]] = {
    rules.KIND: _of_rules,
    llm.KIND: _of_a_model,
    COMPOSITION: _of_others,
    EXTERNAL.removesuffix(":"): _of_elsewhere,
}


def _refused(problems: Iterable[Problem]) -> Invalid:
    errors = [FieldError(problem.field, problem.message) for problem in problems]
    return Invalid("; ".join(f"{each.field}: {each.message}" for each in errors[:3]), errors=errors)


def _same(judge: Judge, content: _Content) -> Judge:
    if judge.definition == content.definition:
        return judge
    message = f"There is another judge {judge.name} already, and a judge never changes. Take another version."
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
