"""What makes a judge that is a model (domain.md "Judge"): a closed shape, addressed by its content.

Pure. The prompt is text with slots, of which `answer` must be one; its digest is a part of the definition and the text
itself is kept beside it. Each slot stands once, in the user's part: what a stranger wrote never gets into the system's.
Decimals are strings in their shortest form (contracts.md).
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Final

from gates.statistics.scales import Aggregation
from relcontrol.bundle.canonical import MAX_INTEGER, sha256_ref
from relcontrol.bundle.errors import item, under
from relcontrol.bundle.generation import DECIMAL_RANGES, shortest_decimal
from relcontrol.bundle.reading import Reader
from relcontrol.bundle.rendering import SLOT

KIND: Final = "llm"
# The meaning of the rest: how a prompt is put together and a reply is read. Another version is another judge.
VERSION: Final = 1
FIELDS: Final = ("endpoint", "model", "prompt", "draws", "aggregation", "scale", "reference", "parameters")
PARAMETERS: Final = (
    *("answers_as", "temperature", "top_p", "max_tokens", "limit_field"),
    *("seed", "structured", "timeout_seconds"),
)
LIMIT_FIELDS: Final = ("max_tokens", "max_completion_tokens")
STRUCTURED: Final = ("json_schema", "json_object", "none")
ANSWER, INPUT, REFERENCE = "answer", "input", "reference"

MAX_DRAWS: Final = 15
MAX_NAME: Final = 200
MAX_TEXT: Final = 50_000
MAX_TOKENS: Final = 32_000
MAX_SECONDS: Final = 300
MAX_SCORE: Final = Decimal(1_000_000)
DEFAULT_SCALE: Final = ("1", "5")
DEFAULT_TEMPERATURE: Final = "0.7"


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the judge is told; the rubric stands in it."""

    system: str
    user: str

    def as_json(self) -> dict[str, str]:
        """As it is stored and hashed."""
        return {"kind": "judge_prompt", "system": self.system, "user": self.user}


@dataclass(frozen=True, slots=True)
class Parameters:
    """How the model is asked. `answers_as` is the name by which the server calls the model that answers, if another.

    Without a temperature none is sent: some models take none. `limit_field` is what the server calls the limit of a
    reply. Each draw has a seed of its own, counted from `seed`.
    """

    answers_as: str | None = None
    temperature: str | None = DEFAULT_TEMPERATURE
    top_p: str | None = None
    max_tokens: int = 512
    limit_field: str = LIMIT_FIELDS[0]
    seed: int | None = None
    structured: str = STRUCTURED[0]
    timeout_seconds: int = 60


@dataclass(frozen=True, slots=True)
class LlmJudge:
    """A judge that is a model at an endpoint of the organization."""

    endpoint: str
    model: str
    prompt: Prompt
    draws: int
    aggregation: Aggregation
    scale: tuple[str, str]
    reference: bool
    parameters: Parameters

    @property
    def lowest(self) -> float:
        """The lowest score."""
        return float(self.scale[0])

    @property
    def highest(self) -> float:
        """The highest score."""
        return float(self.scale[1])

    def definition(self) -> dict[str, Any]:
        """As it is stored and hashed: every key there."""
        return {
            "kind": KIND,
            "endpoint": self.endpoint,
            "model": self.model,
            "prompt": sha256_ref(self.prompt.as_json()),
            "draws": self.draws,
            "aggregation": self.aggregation.value,
            "scale": list(self.scale),
            "reference": self.reference,
            "parameters": {"version": VERSION, **asdict(self.parameters)},
            "children": [],
        }


def read_llm_judge(fields: Mapping[str, Any]) -> LlmJudge:
    """The judge that these fields describe; `BundleError` names every problem."""
    reader = Reader()
    given = reader.closed(dict(fields), "", FIELDS)
    reference = _truth(reader, given.get("reference"), "reference")
    judge = LlmJudge(
        endpoint=reader.text(given.get("endpoint"), "endpoint", at_most=MAX_NAME),
        model=reader.text(given.get("model"), "model", at_most=MAX_NAME),
        prompt=_prompt(reader, given.get("prompt"), reference=reference),
        draws=_whole(reader, given.get("draws"), "draws", 1, MAX_DRAWS),
        aggregation=Aggregation(
            reader.choice(given.get("aggregation") or Aggregation.MEAN.value, "aggregation", list(Aggregation))
            or Aggregation.MEAN
        ),
        scale=read_scale(reader, given.get("scale"), DEFAULT_SCALE),
        reference=reference,
        parameters=_parameters(reader, given.get("parameters")),
    )
    reader.close()
    return judge


def stored_llm_judge(definition: Mapping[str, Any], prompt: Mapping[str, Any]) -> LlmJudge:
    """The judge of a stored definition and prompt, which were checked when it was made."""
    parameters = {name: value for name, value in definition["parameters"].items() if name != "version"}
    return LlmJudge(
        endpoint=definition["endpoint"],
        model=definition["model"],
        prompt=Prompt(prompt["system"], prompt["user"]),
        draws=definition["draws"],
        aggregation=Aggregation(definition["aggregation"]),
        scale=(definition["scale"][0], definition["scale"][1]),
        reference=definition["reference"],
        parameters=Parameters(**parameters),
    )


def read_scale(reader: Reader, value: object, default: tuple[str, str]) -> tuple[str, str]:
    """The lowest and the highest score, as decimal strings."""
    if value is None:
        return default
    ends = reader.items(value, "scale", at_most=2)
    if len(ends) != 2:
        if isinstance(value, list | tuple) and len(value) < 2:
            reader.refuse("scale", "Write the lowest and the highest score, such as [1, 5].")
        return default
    low, high = (_decimal(reader, end, item("scale", place), -MAX_SCORE, MAX_SCORE) for place, end in enumerate(ends))
    if low is None or high is None:
        return default
    if not Decimal(low) < Decimal(high):
        reader.refuse("scale", "Write the lowest and the highest score, such as [1, 5].", "out_of_range")
        return default
    return low, high


def _prompt(reader: Reader, value: object, *, reference: bool) -> Prompt:
    if not isinstance(value, dict):
        reader.refuse(
            "prompt", 'Write {"system": …, "user": …}; the rubric stands in it.', "wrong_type" if value else "required"
        )
        return Prompt("", "")
    given = reader.closed(value, "prompt", ("system", "user"))
    system = reader.text(given.get("system") or "", "prompt.system", at_most=MAX_TEXT, empty=True)
    user = reader.text(given.get("user"), "prompt.user", at_most=MAX_TEXT)
    if SLOT.search(system):
        message = "Put every slot into prompt.user: the texts of others do not belong into the system's part."
        reader.refuse("prompt.system", message, "slot")
    if user:
        _check_slots(reader, Counter(SLOT.findall(user)), reference=reference)
    return Prompt(system, user)


def _check_slots(reader: Reader, found: Counter[str], *, reference: bool) -> None:
    wanted = (INPUT, ANSWER, *((REFERENCE,) if reference else ()))
    for name in wanted:
        if found[name] != 1:
            often = "is missing" if not found[name] else f"stands {found[name]} times"
            reader.refuse("prompt.user", f"The slot {{{{ {name} }}}} {often}; it must stand there once.", "slot")
    if not reference and found[REFERENCE]:
        message = "It has a slot {{ reference }}; set reference to true, so that the judge gets one."
        reader.refuse("prompt.user", message, "slot")
    for name in sorted(set(found) - {INPUT, ANSWER, REFERENCE}):
        reader.refuse("prompt.user", f"The slot {{{{ {name} }}}} is not known; known: {', '.join(wanted)}.", "slot")


def _parameters(reader: Reader, value: object) -> Parameters:
    if value is None:
        return Parameters()
    given, default = reader.closed(value, "parameters", PARAMETERS), Parameters()
    answers_as, structured = given.get("answers_as"), given.get("structured") or default.structured
    limit_field = given.get("limit_field") or default.limit_field
    return Parameters(
        answers_as=answers_as and reader.text(answers_as, "parameters.answers_as", at_most=MAX_NAME),
        temperature=_setting(reader, given, "temperature", default.temperature),
        top_p=_setting(reader, given, "top_p", default.top_p),
        max_tokens=_whole(reader, given.get("max_tokens"), "parameters.max_tokens", 1, MAX_TOKENS, default.max_tokens),
        limit_field=reader.choice(limit_field, "parameters.limit_field", LIMIT_FIELDS) or default.limit_field,
        seed=_seed(reader, given.get("seed")),
        structured=reader.choice(structured, "parameters.structured", STRUCTURED) or default.structured,
        timeout_seconds=_whole(
            reader, given.get("timeout_seconds"), "parameters.timeout_seconds", 1, MAX_SECONDS, default.timeout_seconds
        ),
    )


def _setting(reader: Reader, given: Mapping[str, Any], name: str, default: str | None) -> str | None:
    """A decimal; null is not to send it, and what is left out is the default."""
    if name not in given or given[name] is None:
        return None if name in given else default
    return _decimal(reader, given[name], under("parameters", name), *DECIMAL_RANGES[name])


def _decimal(reader: Reader, value: object, field: str, low: Decimal, high: Decimal) -> str | None:
    read = lambda wanted, path: shortest_decimal(wanted, path, low, high)  # noqa: E731
    return reader.attempt(read, value, field, None)


def _seed(reader: Reader, value: object) -> int | None:
    # Draws count up from it, and fresh ones further up.
    return None if value is None else reader.integer(value, "parameters.seed", low=0, high=MAX_INTEGER // 2)


def _whole(reader: Reader, value: object, field: str, low: int, high: int, default: int = 1) -> int:
    return default if value is None else reader.integer(value, field, low=low, high=high)


def _truth(reader: Reader, value: object, field: str) -> bool:
    if value is None or isinstance(value, bool):
        return value is True
    reader.refuse(field, "Must be true or false.", "wrong_type")
    return False
