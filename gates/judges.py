"""Judges: known by name, addressed by the digest of what makes them (contracts.md "judge").

An external judge scores outside of relcontrol and sends its scores; it is made by the first run that names it. Its
scale is a part of it: the same name with another scale would be another judge. All others are made in
`gates.judge_making`; the default rules are there for every organization.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from gates.models import Judge
from gates.rule_judge.definition import DEFAULT, KIND, RULES_VERSION, Rules
from gates.slices.rules import read_judge
from gates.suite_files.digests import decimal_text
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Organization
from relcontrol.accounts.selectors import found
from relcontrol.bundle.canonical import sha256_hex
from relcontrol.bundle.reading import Reader
from relcontrol.clock import now
from relcontrol.errors import Conflict, NotFound, invalid

JUDGE_SCHEMA: Final = "relcontrol/judge/v1"
EXTERNAL: Final = "external:"
DEFAULT_RULES: Final = "rules:default@1"
DEFAULT_SCALE: Final = (0.0, 1.0)
VETO: Final = "veto"
COMPOSITION_VERSION: Final = 1

Scale = tuple[float, float]


def external_definition(name: str, scale: Scale) -> dict[str, Any]:
    """What is known of a judge that works elsewhere."""
    return {
        "kind": "external",
        "endpoint": None,
        "model": name.removeprefix(EXTERNAL),
        "prompt": None,
        "draws": 1,
        "aggregation": "mean",
        "scale": [decimal_text(end) for end in scale],
        "reference": False,
        "parameters": {},
        "children": [],
    }


def rules_definition(rules: Rules) -> dict[str, Any]:
    """What makes a judge of rules; its name has no part in it."""
    return {
        "kind": KIND,
        "endpoint": None,
        "model": None,
        "prompt": None,
        "draws": 1,
        "aggregation": VETO,
        "scale": [decimal_text(end) for end in DEFAULT_SCALE],
        "reference": False,
        "parameters": {"version": RULES_VERSION, "rules": rules.as_json()},
        "children": [],
    }


def composition_definition(children: Iterable[Judge]) -> dict[str, Any]:
    """What makes a composition: rules that veto, and a model whose score it is where none does; its scale is theirs."""
    ordered = sorted(children, key=lambda child: (child.definition["kind"] != KIND, child.sha256))
    last = ordered[-1].definition
    return {
        "kind": "composition",
        "endpoint": None,
        "model": None,
        "prompt": None,
        "draws": last["draws"],
        "aggregation": VETO,
        "scale": last["scale"],
        "reference": last["reference"],
        "parameters": {"version": COMPOSITION_VERSION},
        "children": [child.sha256 for child in ordered],
    }


def judge_digest(definition: Mapping[str, Any]) -> str:
    """What gate runs and calibrations pin."""
    return sha256_hex({"schema": JUDGE_SCHEMA, **definition})


def scale_of(judge: Judge) -> Scale:
    """The lowest and the highest score that it gives."""
    low, high = judge.definition["scale"]
    return float(low), float(high)


def judges_of(organization: Organization) -> QuerySet[Judge]:
    """Judges of an organization, newest first."""
    return Judge.objects.filter(organization=organization).order_by("-pk")


def judge_named(organization: Organization, text: str) -> Judge:
    """The judge with this id or name; the default rules are there without anybody having made them."""
    key = "pk" if text.startswith("jdg_") else "name"
    rows = judges_of(organization)
    if text == DEFAULT_RULES and not rows.filter(name=text).exists():
        return _default_rules(organization)
    return found(rows, "judge", **{key: text})


def children_of(judge: Judge) -> list[Judge]:
    """The judges that a composition is made of, rules first; another judge has none."""
    wanted = judge.definition["children"]
    rows = {row.sha256: row for row in judges_of(judge.organization).filter(sha256__in=wanted)} if wanted else {}
    default = _default_rules(judge.organization)
    return [rows.get(digest) or default for digest in wanted if digest in rows or digest == default.sha256]


def _default_rules(organization: Organization) -> Judge:
    """The default judge as a row that need not be stored; its name is its id."""
    definition = rules_definition(DEFAULT)
    return Judge(
        id=DEFAULT_RULES,
        organization=organization,
        name=DEFAULT_RULES,
        definition=definition,
        sha256=judge_digest(definition),
        created_by="internal",
        created_by_label="relcontrol",
        created_at=organization.created_at,
    )


def judge_for(*, actor: Actor, name: str, scale: Scale | None) -> Judge:
    """The judge of this name; an external one that is new is made. `Conflict` where its scale is another one."""
    reader = Reader()
    if read_judge(reader, name) is None:
        raise invalid("judge", reader.problems[0].message)
    if not name.startswith(EXTERNAL):
        try:
            return judge_named(actor.organization, name)
        except NotFound as error:
            message = f"There is no judge {name} here. Make it with POST /v1/judges, or name another one."
            raise invalid("judge", message, code="unknown_judge") from error
    known = judges_of(actor.organization).filter(name=name).first()
    known = known or _made(actor, name, scale or DEFAULT_SCALE)
    if scale is not None and scale_of(known) != scale:
        low, high = scale_of(known)
        message = f"{name} scores from {low:g} to {high:g}; a judge with another scale needs another name or version."
        raise Conflict(message, code="judge_scale_differs", state={"judge": name, "scale": [low, high]})
    return known


def unsaved_judge(
    actor: Actor, name: str, definition: dict[str, Any], prompt: Mapping[str, str] | None = None
) -> Judge:
    """A judge that this actor makes."""
    return Judge(
        organization=actor.organization,
        name=name,
        definition=definition,
        prompt=prompt,
        sha256=judge_digest(definition),
        created_by=actor.id,
        created_by_label=actor.label,
        created_at=now(),
    )


def _made(actor: Actor, name: str, scale: Scale) -> Judge:
    judge = unsaved_judge(actor, name, external_definition(name, scale))
    try:
        with transaction.atomic():
            judge.save(force_insert=True)
    except IntegrityError:
        return judge_named(actor.organization, name)
    return judge
