"""Judges of rules (`gates.rule_judge`) score live answers here.

A slice names one as `rules:NAME@VERSION`, or by a composition of one and a model. Where it names none, or a judge that
is a model or works elsewhere, the default rules score its live answers until that judge's scores come in.
"""

from dataclasses import dataclass

from gates.judges import DEFAULT_RULES, EXTERNAL, children_of, judge_named
from gates.rule_judge.definition import DEFAULT, KIND, Rules, stored_rules
from relcontrol.accounts.models import Organization


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
    own = [each for each in children_of(row) or [row] if each.definition["kind"] == KIND]
    if len(own) != 1:
        return NamedRules(DEFAULT_RULES, DEFAULT)
    return NamedRules(own[0].name, stored_rules(own[0].definition))
