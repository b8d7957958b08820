"""Generation settings in their one spelling (contracts.md: numbers by field, not by value).

Temperature, top_p and the penalties are decimal strings in their shortest form (`"0.2"`, `"1"`, `"0"`); max_tokens and
seed are integers. Requests may write any of them as a number or as a string of one. A null means "not set" and is left
out, and so is an empty stop list. max_completion_tokens is max_tokens under the name that OpenAI's reasoning models
take, which refuse the other; a release has one of them.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from relcontrol.bundle.canonical import MAX_INTEGER
from relcontrol.bundle.errors import item, one_problem, under
from relcontrol.bundle.reading import Reader

DECIMAL_RANGES: Final = {
    "temperature": (Decimal(0), Decimal(2)),
    "top_p": (Decimal(0), Decimal(1)),
    "frequency_penalty": (Decimal(-2), Decimal(2)),
    "presence_penalty": (Decimal(-2), Decimal(2)),
}
LIMITS: Final = ("max_tokens", "max_completion_tokens")  # of the length of an answer: one limit under two names
INTEGER_RANGES: Final = {**dict.fromkeys(LIMITS, (1, 1_000_000)), "seed": (-MAX_INTEGER, MAX_INTEGER)}
MAX_DECIMAL_PLACES: Final = 12
MAX_STOPS: Final = 16
MAX_STOP_LENGTH: Final = 200

# Decimal() alone would also take "1_0", "NaN" and digits of other scripts.
_DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,32}(?:\.[0-9]{0,32})?|\.[0-9]{1,32})(?:[eE][+-]?[0-9]{1,3})?")
_INTEGER = re.compile(r"[+-]?[0-9]{1,20}")


def normalise_generation(value: object, field: str = "generation") -> dict[str, Any]:
    """The settings as they stand in a manifest; `None` is no settings at all."""
    if value is None:
        return {}
    reader = Reader()
    known = {**_READERS, "stop": _stops}
    normal: dict[str, Any] = {}
    for key, setting in reader.closed(value, field, known).items():
        if setting is not None and key in known:
            normal[key] = reader.attempt(known[key], setting, under(field, key), None)
    reader.close()
    if normal.keys() >= set(LIMITS):
        message = f"{' and '.join(LIMITS)} are one limit under two names; give the one that the model takes."
        raise one_problem(under(field, LIMITS[1]), message, "given_twice")
    return {key: setting for key, setting in normal.items() if setting != []}


def shortest_decimal(value: object, field: str, low: Decimal, high: Decimal) -> str:
    """A number in any spelling as a decimal string without exponent, sign of zero or trailing zeros."""
    number = _decimal(value, field)
    if not low <= number <= high:
        raise one_problem(field, f"Must be from {low} to {high}.", "out_of_range")
    if number == 0:
        return "0"
    digits = format(number, "f")
    shortest = digits.rstrip("0").rstrip(".") if "." in digits else digits
    if len(shortest.partition(".")[2]) > MAX_DECIMAL_PLACES:
        message = f"At most {MAX_DECIMAL_PLACES} digits after the point are kept; round it."
        raise one_problem(field, message, "too_precise")
    return shortest


def _decimal(value: object, field: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise one_problem(field, "Must be a number, or a string of one.", "wrong_type")
    if isinstance(value, int):
        return Decimal(value)
    spelling = str(value)  # of a float: the shortest that reads back the same, which is what the person wrote
    if not _DECIMAL.fullmatch(spelling.strip(" ")):
        raise one_problem(field, 'Must be a decimal number, such as 0.2 or "0.2".', "not_a_number")
    return Decimal(spelling.strip(" "))


def _whole(value: object, field: str, low: int, high: int) -> int:
    if isinstance(value, str):
        value = int(value) if _INTEGER.fullmatch(value.strip(" ")) else value
    elif isinstance(value, float):
        value = int(value) if value.is_integer() else value
    reader = Reader()
    number = reader.integer(value, field, low=low, high=high)
    reader.close()
    return number


def _stops(value: object, field: str) -> list[str]:
    reader = Reader()
    entries = reader.items([value] if isinstance(value, str) else value, field, at_most=MAX_STOPS)
    texts = [reader.text(entry, item(field, i), at_most=MAX_STOP_LENGTH) for i, entry in enumerate(entries)]
    reader.close()
    return list(dict.fromkeys(texts))


def _reader_of_decimal(low: Decimal, high: Decimal) -> Callable[[object, str], Any]:
    return lambda value, field: shortest_decimal(value, field, low, high)


def _reader_of_integer(low: int, high: int) -> Callable[[object, str], Any]:
    return lambda value, field: _whole(value, field, low, high)


_READERS: Final[dict[str, Callable[[object, str], Any]]] = {
    **{key: _reader_of_decimal(*bounds) for key, bounds in DECIMAL_RANGES.items()},
    **{key: _reader_of_integer(*bounds) for key, bounds in INTEGER_RANGES.items()},
}
