"""Holding rules against an answer: 1 where it breaks none, 0 where it breaks any, with a finding for each.

Pure and deterministic. Findings quote at most 80 characters of the answer. An answer that calls tools and says nothing
is not judged: its text comes later.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gates.rule_judge.definition import Rules
from gates.rule_judge.impossible_dates import impossible_dates
from gates.rule_judge.refusals import refusal_in
from gates.rule_judge.schemas import violations
from relcontrol.bundle.errors import BundleError
from relcontrol.bundle.patterns.linear_pattern import compile_pattern
from relcontrol.bundle.strict_json import strict_loads

QUOTED: Final = 80
# Longer answers are judged by their beginning: the time that a rule takes grows with the text.
READ: Final = 100_000
SHOWN: Final = 5
_SPACES = re.compile(r"\s+")

Output = str | Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that an answer breaks, where, and why."""

    rule: str
    quote: str
    detail: str

    def as_json(self) -> dict[str, str]:
        """As it is stored and shown."""
        return {"rule": self.rule, "quote": self.quote, "detail": self.detail}


@dataclass(frozen=True, slots=True)
class Scored:
    """The score on [0, 1], and what speaks against the answer."""

    score: float
    findings: tuple[Finding, ...]


def score(rules: Rules, *, input_text: str, output: Output) -> Scored | None:
    """Judge one answer; None is missing: there is nothing to judge yet.

    `output` is a text, a message `{"content", "tool_calls", "refusal", …}`, or None. A date that the question names
    itself is not held against the answer.
    """
    text = text_of(output)
    if not text.strip() and isinstance(output, Mapping) and output.get("tool_calls"):
        return None
    findings = tuple(_findings(rules, input_text, text, output))
    return Scored(0.0 if findings else 1.0, findings)


def text_of(output: Output) -> str:
    """What an answer says, or all text parts of it."""
    if not isinstance(output, Mapping):
        return output or ""
    content = output.get("content")
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, Mapping)]
        return "\n".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def _findings(rules: Rules, input_text: str, text: str, output: Output) -> Iterator[Finding]:
    refused = output.get("refusal") if isinstance(output, Mapping) else None
    if refused and isinstance(refused, str) and rules.refusal:
        yield Finding("refusal", _quote(refused), "The model says itself that it refused to answer.")
        return
    if not text.strip():
        yield Finding("empty", "", "The answer is empty.")
        return
    if rules.refusal and (sentence := refusal_in(text[:READ])):
        yield Finding(
            "refusal", _quote(sentence), "The answer refuses or defers to somebody else, and answers nothing."
        )
    if rules.impossible_dates:
        for date in impossible_dates(text[:READ], input_text[:READ])[:SHOWN]:
            yield Finding("impossible_date", _quote(date.text), date.reason)
    yield from _of_length(rules, text)
    yield from _of_patterns(rules, text[:READ])
    yield from _of_schema(rules, text)


def _of_length(rules: Rules, text: str) -> Iterator[Finding]:
    length = len(text.strip())
    if rules.min_chars is not None and length < rules.min_chars:
        yield Finding("min_chars", _quote(text), f"{length} characters are fewer than {rules.min_chars}.")
    if rules.max_chars is not None and length > rules.max_chars:
        yield Finding("max_chars", _quote(text), f"{length} characters are more than {rules.max_chars}.")


def _of_patterns(rules: Rules, text: str) -> Iterator[Finding]:
    for pattern in rules.must_match:
        if not compile_pattern(pattern).found(text):
            yield Finding("must_match", _quote(text), f"Nothing in the answer matches {pattern}")
    for pattern in rules.must_not_match:
        compiled = compile_pattern(pattern)
        if compiled.found(text):  # so that only answers that break the rule are read for the place
            low, high = compiled.scan(text).spans[0]
            yield Finding("must_not_match", _quote(text[low:high]), f"The answer matches {pattern}")


def _of_schema(rules: Rules, text: str) -> Iterator[Finding]:
    if rules.schema is None:
        return
    try:
        value = strict_loads(text.strip())
    except BundleError as error:
        yield Finding("schema", _quote(text), f"The answer is no JSON: {error.problems[0].message}")
        return
    wrong = list(violations(rules.schema, value))[:SHOWN]
    if wrong:
        yield Finding("schema", _quote(text), f"{'; '.join(wrong)}.")


def _quote(text: str) -> str:
    line = _SPACES.sub(" ", text[: QUOTED * 4]).strip()
    return line if len(line) <= QUOTED else line[: QUOTED - 1] + "…"
