"""The fast gate: what can be seen of a release in its own text, without asking a model (domain.md "Register").

An `error` would make the release fail or say nonsense and refuses the registration; a `warning` is probably a mistake;
an `info` is worth knowing. The order is that of the rules below.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal

from relcontrol.bundle.canonical import canonical_bytes
from relcontrol.bundle.generation import LIMITS
from relcontrol.bundle.rendering import SLOT, slots
from relcontrol.bundle.tool_lint import tool_problems

Severity = Literal["error", "warning", "info"]

CHARACTERS_PER_TOKEN: Final = 4
LONG_PROMPT_TOKENS: Final = 8_000
VERY_LONG_PROMPT_TOKENS: Final = 100_000
LARGE_ARTIFACT_BYTES: Final = 262_144
PRICE_SAMPLE: Final = 1_000
MAX_SHOWN: Final = 40

_LOGIC = re.compile(r"\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_DOUBLE_BRACES = re.compile(r"\{\{.*?\}\}|\{\{|\}\}", re.DOTALL)
_INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")
_CONTROL = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_TRAILING = re.compile(r"[ \t]+$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark; `field` is where, as in `prompt_template.system`."""

    severity: Severity
    code: str
    message: str
    field: str = ""


def lint(
    *,
    prompt: Mapping[str, Any],
    preprocessing: Sequence[Mapping[str, Any]] = (),
    generation: Mapping[str, Any] | None = None,
    few_shot: Mapping[str, Any] | None = None,
    tools: Mapping[str, Any] | None = None,
    price_per_token: Decimal | None = None,
) -> list[Finding]:
    """Every finding on normalised values; `price_per_token` is the endpoint's price of an input token."""
    texts = _texts(prompt, few_shot)
    return [
        *_prompt_findings(prompt),
        *(finding for field, text in texts for finding in _text_findings(field, text)),
        *_preprocessing_findings(prompt, preprocessing),
        *_few_shot_findings(few_shot),
        *(Finding("error", *problem) for problem in tool_problems(tools)),
        *_generation_findings(generation or {}),
        *_size_findings({"prompt_template": prompt, "few_shot": few_shot, "tool_schemas": tools}),
        *_cost_findings(prompt, few_shot, tools, price_per_token),
    ]


def is_refused(findings: Sequence[Finding]) -> bool:
    """Whether the fast gate refuses the registration."""
    return any(finding.severity == "error" for finding in findings)


def estimated_tokens(*parts: Any) -> int:
    """A rough count, a token for four characters: an estimate for people, never evidence."""
    texts = (part if isinstance(part, str) else json.dumps(part, ensure_ascii=False) for part in parts)
    return -(-sum(map(len, texts)) // CHARACTERS_PER_TOKEN)


def _texts(prompt: Mapping[str, Any], few_shot: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    examples = few_shot["messages"] if few_shot else ()
    return [
        ("prompt_template.system", prompt["system"]),
        ("prompt_template.user", prompt["user"] or ""),
        *((f"few_shot.messages[{index}].content", message["content"]) for index, message in enumerate(examples)),
    ]


def _prompt_findings(prompt: Mapping[str, Any]) -> Iterator[Finding]:
    if not prompt["system"].strip():
        message = "The system prompt is empty; say what the model is for, if that is not meant."
        yield Finding("warning", "empty_system", message, "prompt_template.system")
    if prompt["user"] is not None and "input" not in _wanted(prompt):
        message = "The user template has no slot {{ input }}, so the user's question would be lost; add it."
        yield Finding("error", "input_unused", message, "prompt_template.user")
    for key in ("system", "user"):
        yield from _brace_findings(f"prompt_template.{key}", prompt[key] or "")


def _brace_findings(field: str, text: str) -> Iterator[Finding]:
    rest = SLOT.sub(" ", text)
    for match in _LOGIC.finditer(rest):
        message = f"{_shown(match.group())} is template logic; only slots such as {{{{ input }}}} are filled in."
        yield Finding("error", "logic_syntax", message, field)
    for match in _DOUBLE_BRACES.finditer(_LOGIC.sub(" ", rest)):
        message = f"{_shown(match.group())} is no slot and would reach the model as it stands; write {{{{ name }}}}."
        # JSON in a prompt ends in }} too; only an opening pair is surely a slot gone wrong.
        severity: Severity = "info" if match.group() == "}}" else "error"
        yield Finding(severity, "stray_braces", message, field)


def _wanted(prompt: Mapping[str, Any]) -> frozenset[str]:
    return slots(prompt["system"]) | slots(prompt["user"] or "")


def _shown(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"


def _text_findings(field: str, text: str) -> Iterator[Finding]:
    hidden = sorted({f"U+{ord(character):04X}" for character in _INVISIBLE.findall(text) + _CONTROL.findall(text)})
    if hidden:
        message = f"Contains invisible characters ({', '.join(hidden)}) that a reviewer cannot see; remove them."
        yield Finding("warning", "invisible_characters", message, field)
    if _TRAILING.search(text) or text != text.rstrip():
        message = "Has white space at the end of the text or of a line; it costs tokens and hides in reviews."
        yield Finding("info", "trailing_whitespace", message, field)


def _preprocessing_findings(prompt: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    wanted = _wanted(prompt)
    for name in sorted(wanted - {"input"}):
        message = f"The slot {{{{ {name} }}}} is filled from the request's metadata; a request without it is refused."
        yield Finding("info", "slot_from_metadata", message, "prompt_template")
    for index, step in enumerate(steps):
        name = step.get("field", "input")
        if name != "input" and name not in wanted:
            message = f"Works on the field {name!r}, which the prompt does not use; remove the step or add the slot."
            yield Finding("warning", "unused_field", message, f"preprocessing.steps[{index}]")


def _few_shot_findings(few_shot: Mapping[str, Any] | None) -> Iterator[Finding]:
    messages = few_shot["messages"] if few_shot else ()
    roles = [message["role"] for message in messages]
    if roles != ["user", "assistant"] * (len(roles) // 2):
        message = "The examples do not go user, assistant, user, assistant; some servers refuse that."
        yield Finding("warning", "few_shot_order", message, "few_shot.messages")
    questions = [message["content"] for message in messages if message["role"] == "user"]
    if len(set(questions)) < len(questions):
        message = "The same question stands there twice; one of them only costs tokens."
        yield Finding("warning", "few_shot_duplicate", message, "few_shot.messages")


def _generation_findings(generation: Mapping[str, Any]) -> Iterator[Finding]:
    if generation.keys().isdisjoint(LIMITS):
        message = "No max_tokens is set: the client or the server decides how long an answer may be."
        yield Finding("info", "no_max_tokens", message, "generation.max_tokens")
    if Decimal(generation.get("temperature", "0")) > 0 and Decimal(generation.get("top_p", "1")) < 1:
        message = "Both temperature and top_p are set; their effects mix. Set one of them."
        yield Finding("info", "two_samplers", message, "generation")


def _size_findings(artifacts: Mapping[str, Mapping[str, Any] | None]) -> Iterator[Finding]:
    for name, artifact in artifacts.items():
        size = len(canonical_bytes(dict(artifact))) if artifact else 0
        if size > LARGE_ARTIFACT_BYTES:
            yield Finding("warning", "large_artifact", f"Has {size:,} bytes, sent with every request.", name)


def _cost_findings(
    prompt: Mapping[str, Any],
    few_shot: Mapping[str, Any] | None,
    tools: Mapping[str, Any] | None,
    price_per_token: Decimal | None,
) -> Iterator[Finding]:
    texts = [text for _, text in _texts(prompt, few_shot)]
    tokens = estimated_tokens(*texts, *(tools["tools"] if tools else ()))
    if tokens > LONG_PROMPT_TOKENS:
        severity: Severity = "error" if tokens > VERY_LONG_PROMPT_TOKENS else "warning"
        message = f"About {tokens:,} tokens (an estimate) go with every request before the user has said a word."
        yield Finding(severity, "long_prompt", message, "prompt_template")
    cost = ""
    if price_per_token is not None:
        cost = f", about {_money(tokens * price_per_token * PRICE_SAMPLE)} for {PRICE_SAMPLE:,} requests"
    message = (
        f"The fixed part of a request is about {tokens:,} tokens{cost}; an estimate of one token per 4 characters."
    )
    yield Finding("info", "token_cost", message)


def _money(amount: Decimal) -> str:
    return format(amount.quantize(Decimal("0.0001")), "f")
