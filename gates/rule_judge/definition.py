"""What a rule judge holds against an answer (domain.md "Judge"): a closed shape, addressed by its content.

Pure. Without anything said it is the default judge: no refusal, no impossible date. Patterns are in the linear-time
language of the bundle; `schema` is a small closed subset of JSON Schema (`schemas`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gates.rule_judge.schemas import read_schema
from relcontrol.bundle.errors import item
from relcontrol.bundle.patterns.linear_pattern import compile_pattern
from relcontrol.bundle.reading import Reader

KIND: Final = "rules"
# The meaning of the rules themselves: another version finds other refusals, so it is another judge.
RULES_VERSION: Final = 1
FIELDS: Final = ("refusal", "impossible_dates", "schema", "must_match", "must_not_match", "min_chars", "max_chars")
MAX_PATTERNS: Final = 20
MAX_PATTERN: Final = 1_000
MAX_CHARS: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one judge; an answer that breaks none scores 1, any other 0."""

    refusal: bool = True
    impossible_dates: bool = True
    schema: Mapping[str, Any] | None = None
    must_match: tuple[str, ...] = ()
    must_not_match: tuple[str, ...] = ()
    min_chars: int | None = None
    max_chars: int | None = None

    def as_json(self) -> dict[str, Any]:
        """As it is stored and hashed: every key there."""
        return {
            "refusal": self.refusal,
            "impossible_dates": self.impossible_dates,
            "schema": None if self.schema is None else dict(self.schema),
            "must_match": list(self.must_match),
            "must_not_match": list(self.must_not_match),
            "min_chars": self.min_chars,
            "max_chars": self.max_chars,
        }


DEFAULT: Final = Rules()


def read_rules(value: object, field: str = "rules") -> Rules:
    """The rules in a JSON object; what is left out is as in the default. `BundleError` names every problem."""
    reader = Reader()
    given = reader.closed(value, field, FIELDS)
    rules = Rules(
        refusal=_truth(reader, given.get("refusal"), f"{field}.refusal"),
        impossible_dates=_truth(reader, given.get("impossible_dates"), f"{field}.impossible_dates"),
        schema=read_schema(reader, given.get("schema"), f"{field}.schema"),
        must_match=_patterns(reader, given.get("must_match"), f"{field}.must_match"),
        must_not_match=_patterns(reader, given.get("must_not_match"), f"{field}.must_not_match"),
        min_chars=_length(reader, given.get("min_chars"), f"{field}.min_chars"),
        max_chars=_length(reader, given.get("max_chars"), f"{field}.max_chars"),
    )
    if rules.min_chars is not None and rules.max_chars is not None and rules.min_chars > rules.max_chars:
        reader.refuse(f"{field}.min_chars", "Must not be more than max_chars.", "out_of_range")
    reader.close()
    return rules


def stored_rules(definition: Mapping[str, Any]) -> Rules:
    """The rules of a judge's stored definition, which were checked when it was made."""
    return read_rules(definition["parameters"]["rules"])


def _truth(reader: Reader, value: object, field: str) -> bool:
    if value is None or isinstance(value, bool):
        return value is not False
    reader.refuse(field, "Must be true or false.", "wrong_type")
    return True


def _patterns(reader: Reader, value: object, field: str) -> tuple[str, ...]:
    if value is None:
        return ()
    entries = reader.items(value, field, at_most=MAX_PATTERNS)
    found = [reader.text(entry, item(field, place), at_most=MAX_PATTERN) for place, entry in enumerate(entries)]
    for place, pattern in enumerate(found):
        if pattern:
            reader.attempt(compile_pattern, pattern, item(field, place), None)
    return tuple(found)


def _length(reader: Reader, value: object, field: str) -> int | None:
    return None if value is None else reader.integer(value, field, low=0, high=MAX_CHARS)
