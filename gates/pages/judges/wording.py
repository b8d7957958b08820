"""What a judge is, in a sentence; its family and its version; and how its kind is called. Pure but for the rows."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from gates.models import Judge
from gates.rule_judge.definition import Rules, stored_rules
from gates.scorecards.words import spoken

KINDS: Final[Mapping[str, str]] = {
    "llm": "Model",
    "rules": "Rules",
    "composition": "Rules and a model",
    "external": "Scores from elsewhere",
}
TOGETHER: Final[Mapping[str, str]] = {"mean": "the mean", "median": "the median", "lowest": "the lowest"}
TIMES: Final = {1: "once", 2: "twice"}


def family_of(name: str) -> str:
    """The name without its version: versions of a judge share it."""
    return name.partition("@")[0]


def version_of(name: str) -> str:
    """What stands behind the @."""
    return name.partition("@")[2]


def kind_words(judge: Judge) -> str:
    """What kind of judge it is."""
    return KINDS.get(judge.definition["kind"], judge.definition["kind"])


def scale_words(judge: Judge) -> str:
    """`1 to 5`."""
    return " to ".join(f"{float(end):g}" for end in judge.definition["scale"])


def in_words(judge: Judge, children: Sequence[Judge] = ()) -> str:
    """What it does with an answer."""
    said = _SENTENCES[judge.definition["kind"]](judge, children)
    return f"{said} It gives scores from {scale_words(judge)}."


def _model(judge: Judge, _children: Sequence[Judge]) -> str:
    made: Mapping[str, Any] = judge.definition
    reads = ["the question", "the answer", *(["the reference"] if made["reference"] else [])]
    draws = made["draws"]
    start = f"The model {made['model']} at the endpoint {made['endpoint']} reads {spoken(reads)}"
    if draws == 1:
        return f"{start} once, and its score counts."
    together = TOGETHER.get(made["aggregation"], made["aggregation"])
    return f"{start} {TIMES.get(draws, f'{draws} times')}, and {together} of its scores counts."


def _rules(judge: Judge, _children: Sequence[Judge]) -> str:
    held = held_against(stored_rules(judge.definition))
    if not held:
        return "It holds nothing against an answer."
    return f"It holds against an answer {spoken(held)}: one finding gives the lowest score, none the highest."


def held_against(rules: Rules) -> list[str]:
    """What a judge of rules looks for."""
    found = {
        "a refusal": rules.refusal,
        "an impossible date": rules.impossible_dates,
        "a shape that is not its JSON schema’s": rules.schema is not None,
        "a pattern that is missing": rules.must_match,
        "a pattern that must not be there": rules.must_not_match,
        f"fewer than {rules.min_chars or 0:,} characters": rules.min_chars,
        f"more than {rules.max_chars or 0:,} characters": rules.max_chars is not None,
    }
    return [words for words, there in found.items() if there]


def _composition(_judge: Judge, children: Sequence[Judge]) -> str:
    rules = [child.name for child in children if child.definition["kind"] == "rules"]
    models = [child.name for child in children if child.definition["kind"] != "rules"]
    veto = f"{spoken(rules)} may veto an answer, which then gets the lowest score" if rules else "Nothing vetoes"
    return f"{veto}; any other gets the score of {models[0]}." if models else f"{veto}; any other gets the highest."


def _external(judge: Judge, _children: Sequence[Judge]) -> str:
    return "It works outside of relcontrol, which only gets its scores: with a gate run, or to calibrate it."


_SENTENCES: Final = {"llm": _model, "rules": _rules, "composition": _composition, "external": _external}
