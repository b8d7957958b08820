"""What a gate policy may say: each number in its range, every problem told at once. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from gates.policies.definition import NOT_CLAIMED, Definition
from relcontrol.bundle.errors import under
from relcontrol.bundle.reading import Reader
from relcontrol.errors import FieldError, Invalid

PLACES: Final = 4
MAX_POINTS: Final = Decimal(100)
MAX_PERCENT: Final = Decimal(1000)
MAX_RATIO: Final = Decimal(100)
MAX_LATENCY_MS: Final = Decimal(3_600_000)
MAX_FLOORS: Final = 20
MAX_FLOOR: Final = Decimal(1_000_000)
MAX_OVERRIDE_HOURS: Final = 168

_FLOOR_NAME: Final = re.compile(r"[a-z][a-z0-9_.-]{0,39}")


def changed_definition(before: Definition, fields: Mapping[str, Any]) -> Definition:
    """`before` with the given fields in place of its own; `Invalid` with every problem."""
    reader = Reader()
    given = reader.closed(dict(fields), "", tuple(_READERS))
    values = {name: _READERS[name](reader, value, name) for name, value in given.items() if name in _READERS}
    after = replace(before, **values)
    if not reader.problems:
        _require_order(reader, after)
    if reader.problems:
        errors = [FieldError(problem.field, problem.message) for problem in reader.problems]
        raise Invalid("; ".join(f"{item.field}: {item.message}" for item in errors[:3]), errors=errors)
    return after


def _require_order(reader: Reader, read: Definition) -> None:
    review, fail = read.tokens_review_percent, read.tokens_fail_percent
    if review is not None and fail is not None and review > fail:
        reader.refuse("tokens_review_percent", f"A review from {review} % on comes after the failure at {fail} %.")


def _number(reader: Reader, value: object, field: str, *, low: Decimal, high: Decimal, open_low: bool) -> Decimal:
    if not isinstance(value, Decimal) or not value.is_finite():
        reader.refuse(field, "Must be a number such as 3 or 1.2.", "wrong_type")
    elif not low <= value <= high or (open_low and value == low):
        reader.refuse(field, f"Must be {'above' if open_low else 'from'} {low} and at most {high}.", "out_of_range")
    elif value != round(value, PLACES):
        reader.refuse(field, f"Give at most {PLACES} decimal places.", "out_of_range")
    else:
        return value
    return high


def _limit(low: Decimal, high: Decimal, *, open_low: bool = True) -> Callable[[Reader, Any, str], Decimal | None]:
    """A reader of a number in a range; null switches the limit off."""

    def read(reader: Reader, value: object, field: str) -> Decimal | None:
        return None if value is None else _number(reader, value, field, low=low, high=high, open_low=open_low)

    return read


def _points(reader: Reader, value: object, field: str) -> Decimal:
    return _number(reader, value, field, low=Decimal(0), high=MAX_POINTS, open_low=True)


def _truth(reader: Reader, value: object, field: str) -> bool:
    if not isinstance(value, bool):
        reader.refuse(field, "Must be true or false.", "wrong_type")
    return value is True


def _floors(reader: Reader, value: object, field: str) -> dict[str, Decimal]:
    floors = reader.mapping(value, field)
    if len(floors) > MAX_FLOORS:
        reader.refuse(field, f"Has {len(floors)} floors; at most {MAX_FLOORS} are taken.", "too_many")
        return {}
    return {name: _floor(reader, low, name, field) for name, low in floors.items()}


def _floor(reader: Reader, value: object, name: str, field: str) -> Decimal:
    if not _FLOOR_NAME.fullmatch(name):
        message = "Name a score as results do: a lower-case letter, then up to 39 letters, digits, '_', '.' and '-'."
        reader.refuse(field, f"{name[:80]!r} is no name. {message}")
    return _number(reader, value, under(field, name[:80]), low=-MAX_FLOOR, high=MAX_FLOOR, open_low=False)


_READERS: Final[Mapping[str, Callable[[Reader, Any, str], Any]]] = {
    "max_per_case_regression": _points,
    "small_drops_need_review": _truth,
    "parity_not_claimed": lambda reader, value, field: reader.choice(value, field, NOT_CLAIMED),
    "floors": _floors,
    "tokens_review_percent": _limit(Decimal(0), MAX_PERCENT),
    "tokens_fail_percent": _limit(Decimal(0), MAX_PERCENT),
    "latency_p95_ms": _limit(Decimal(0), MAX_LATENCY_MS),
    "latency_p95_ratio": _limit(Decimal(1), MAX_RATIO, open_low=False),
    "second_person": _truth,
    "override_hours": lambda reader, value, field: reader.integer(value, field, low=1, high=MAX_OVERRIDE_HOURS),
}
