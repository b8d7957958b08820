"""What a slice may say, and the digests of what it says (domain.md "Gate", contracts.md "slice set").

Pure. A `Definition` is what a revision pins; its numbers are decimals and stand in digests as decimal strings, never
as floats. A match rule is one of four closed shapes; patterns are in the linear-time language of the bundle.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Final

from relcontrol.bundle.canonical import sha256_hex
from relcontrol.bundle.errors import under
from relcontrol.bundle.patterns.linear_pattern import compile_pattern
from relcontrol.bundle.reading import Reader

SLICE_SCHEMA: Final = "relcontrol/slice/v1"
SLICE_SET_SCHEMA: Final = "relcontrol/slice-set/v1"

POLICIES: Final = ("point", "guarded", "confident")
MAX_THRESHOLD: Final = Decimal("0.95")
MAX_N_MIN: Final = 100_000
MAX_NAME: Final = 200
MAX_DESCRIPTION: Final = 10_000
MAX_DEPTH: Final = 12
PLACES: Final = 4
# Words that are addresses of their own below /slices.
RESERVED: Final = frozenset({"new", "preview", "import", "export", "matches", "suggestions"})
_JUDGED: Final = ("slug", "application", "parent", "threshold", "quality_floor", "policy", "n_min", "match")

_JUDGE = re.compile(
    r"(?:external|rules|llm|composition):[A-Za-z0-9][A-Za-z0-9._/-]{0,99}@[A-Za-z0-9][A-Za-z0-9._-]{0,63}|jdg_[0-9a-z]{26}"
)
_LOCALE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
_MATCH_KINDS: Final = ("metadata", "locale", "pattern", "judge")
_MAX_METADATA: Final = 8


@dataclass(frozen=True, slots=True)
class Definition:
    """What a slice says. `parent` is a slug, `owner` a person's pseudonymous id, `judge` a judge's name or id.

    `application` is the slug of the only application in whose gate runs it is judged; None is every application.
    """

    slug: str
    name: str
    description: str
    application: str | None
    parent: str | None
    owner: str | None
    judge: str | None
    threshold: Decimal | None
    quality_floor: Decimal | None
    policy: str
    n_min: int
    match: Mapping[str, Any] | None

    def as_json(self) -> dict[str, Any]:
        """As it is stored and hashed: without floats, every key there."""
        numbers = {"threshold": decimal_text(self.threshold), "quality_floor": decimal_text(self.quality_floor)}
        return asdict(self) | numbers

    def sha256(self) -> str:
        """The digest that receipts carry as the policy that holds."""
        return sha256_hex({"schema": SLICE_SCHEMA, **self.as_json()})


def slice_set_digest(revisions: Iterable[tuple[Definition, int]], judges: Mapping[str, str]) -> str:
    """The digest of slices, each with its revision; what a gate run pins.

    `judges` has the digest of every judge that is known, by name and by id; another one stands by its name.
    """
    entries = [_judged_entry(definition, judges) | {"revision": revision} for definition, revision in revisions]
    return sha256_hex({"schema": SLICE_SET_SCHEMA, "slices": sorted(entries, key=lambda entry: str(entry["slug"]))})


def _judged_entry(definition: Definition, judges: Mapping[str, str]) -> dict[str, Any]:
    stored = definition.as_json()
    named = definition.judge
    return {name: stored[name] for name in _JUDGED} | {"judge": judges.get(named, named) if named else None}


def decimal_text(value: Decimal | None) -> str | None:
    """The shortest decimal string: 0.65, 1, 0."""
    return None if value is None else format(value.normalize(), "f")


def read_ratio(reader: Reader, value: object, field: str, *, above_zero: bool, at_most: Decimal) -> Decimal | None:
    """A number between 0 and `at_most` with up to four places, or null."""
    if value is None:
        return None
    if not isinstance(value, Decimal) or not value.is_finite():
        reader.refuse(field, "Must be a number such as 0.65, or null.", "wrong_type")
    elif not 0 <= value <= at_most or (above_zero and value == 0):
        low = "above 0" if above_zero else "from 0"
        reader.refuse(field, f"Must be {low} and at most {at_most}.", "out_of_range")
    elif value != round(value, PLACES):
        reader.refuse(field, f"Give at most {PLACES} decimal places.", "out_of_range")
    else:
        return value
    return None


def read_judge(reader: Reader, value: object, field: str = "judge") -> str | None:
    """`KIND:NAME@VERSION` (external, rules, llm, composition) or the id of a judge; null while there is none."""
    if value is None:
        return None
    if isinstance(value, str) and _JUDGE.fullmatch(value):
        return value
    message = (
        "Write external:NAME@VERSION, such as external:legal-judge@9, or llm:, rules: or composition: in place of "
        "external:, or a judge's id (jdg_…)."
    )
    reader.refuse(field, message)
    return None


def read_match(reader: Reader, value: object, field: str = "match") -> dict[str, Any] | None:
    """The rule that says which live traces belong to the slice: one of four shapes, or null."""
    if value is None:
        return None
    rule = reader.closed(value, field, _MATCH_KINDS)
    if not isinstance(value, dict) or set(rule) - set(_MATCH_KINDS):
        return None
    if len(rule) != 1:
        reader.refuse(field, f"Give exactly one of {', '.join(_MATCH_KINDS)}.")
        return None
    (kind, wanted), *_ = rule.items()
    return {kind: _MATCH_READERS[kind](reader, wanted, under(field, kind))}


def _metadata(reader: Reader, value: object, field: str) -> dict[str, Any]:
    wanted = reader.mapping(value, field)
    if not 1 <= len(wanted) <= _MAX_METADATA:
        reader.refuse(field, f"Name 1 to {_MAX_METADATA} keys with the value that each must have.")
        return {}
    return {
        reader.text(key, field, at_most=MAX_NAME): _metadata_value(reader, entry, under(field, key[:MAX_NAME]))
        for key, entry in wanted.items()
    }


def _metadata_value(reader: Reader, value: object, field: str) -> str | int | bool:
    if isinstance(value, int):
        known = reader.json(value, field)
        return known if isinstance(known, int) else 0
    return reader.text(value, field, at_most=MAX_NAME)


def _locale(reader: Reader, value: object, field: str) -> str:
    if isinstance(value, str) and _LOCALE.fullmatch(value):
        return value
    reader.refuse(field, "Write a language tag such as fr or fr-BE.")
    return ""


def _pattern(reader: Reader, value: object, field: str) -> str:
    pattern = reader.text(value, field, at_most=1000)
    if pattern:
        reader.attempt(compile_pattern, pattern, field, None)
    return pattern


def _judge(reader: Reader, value: object, field: str) -> str:
    if value is None:
        reader.refuse(field, "Name the judge that says which traces belong here.")
    return read_judge(reader, value, field) or ""


_MATCH_READERS: Final = {"metadata": _metadata, "locale": _locale, "pattern": _pattern, "judge": _judge}


def depth_of(parents: Mapping[str, str | None], slug: str) -> int | None:
    """How many ancestors a slice has; None where its line of ancestors comes back to itself or names nobody."""
    seen = {slug}
    above = parents.get(slug)
    while above is not None:
        if above in seen or above not in parents:
            return None
        seen.add(above)
        above = parents[above]
    return len(seen) - 1


def in_tree_order(parents: Mapping[str, str | None]) -> list[tuple[str, int]]:
    """Every slug with its depth, children below their parent, brothers by slug."""
    children: dict[str | None, list[str]] = {}
    for slug, parent in parents.items():
        children.setdefault(parent, []).append(slug)
    waiting = [(slug, 0) for slug in sorted(children.get(None, []), reverse=True)]
    ordered: list[tuple[str, int]] = []
    while waiting:
        slug, depth = waiting.pop()
        ordered.append((slug, depth))
        waiting.extend((child, depth + 1) for child in sorted(children.get(slug, []), reverse=True))
    return ordered
