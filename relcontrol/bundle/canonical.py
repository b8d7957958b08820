"""Canonical bytes and digests: RFC 8785 with the refusals of contracts.md.

Everything hashed goes through `canonical_bytes`. Beyond RFC 8785 it refuses every float (numbers that need a fraction
are decimal strings), integers outside ±(2^53 - 1), halves of surrogate pairs, and NUL, which PostgreSQL cannot keep.
It never changes a string: `nfc` does, and whoever builds a value to be hashed calls it first.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from typing import Any, Final

import rfc8785

from relcontrol.bundle.errors import BundleError, Problem, item, one_problem, under
from relcontrol.bundle.strict_json import strict_loads

__all__ = ["MAX_INTEGER", "canonical_bytes", "nfc", "problems_of", "sha256_hex", "sha256_ref", "strict_loads"]

MAX_INTEGER: Final = 2**53 - 1
SURROGATE: Final = re.compile("[\ud800-\udfff]")
MAX_DEPTH: Final = 64

_FLOAT_ADVICE: Final = 'which has no canonical form here; write a whole number, or a string such as "0.2".'


def canonical_bytes(value: Any) -> bytes:
    """The RFC 8785 bytes of `value`; `BundleError` names every place that has none."""
    problems = problems_of(value)
    if problems:
        raise BundleError(problems)
    return rfc8785.dumps(value)


def sha256_hex(value: Any) -> str:
    """SHA-256 over the canonical bytes, 64 lower-case hexadecimal digits."""
    return hashlib.sha256(canonical_bytes(value)).hexdigest()


def sha256_ref(value: Any) -> str:
    """The same digest written `sha256:<hex>`, as artifacts and suites are named."""
    return f"sha256:{sha256_hex(value)}"


def nfc(value: Any, field: str = "") -> Any:
    """A copy of a JSON value with every string and key in Unicode normalisation form C.

    Two keys that become one are refused: keeping either would drop what a person wrote.
    """
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, dict):
        return _nfc_object(value, field)
    if isinstance(value, list | tuple):
        return [nfc(entry, item(field, index)) for index, entry in enumerate(value)]
    return value


def _nfc_object(value: dict[str, Any], field: str) -> dict[str, Any]:
    normal: dict[str, Any] = {}
    for key, entry in value.items():
        name = nfc(key)
        if name in normal:
            raise one_problem(
                under(field, name), "Two keys are the same after Unicode normalisation; rename one.", "duplicate_key"
            )
        normal[name] = nfc(entry, under(field, name))
    return normal


def problems_of(value: Any, field: str = "") -> tuple[Problem, ...]:
    """Every reason why `value` has no canonical bytes, each with its path."""
    return tuple(_problems(value, field, 0))


def _problems(value: Any, field: str, depth: int) -> Iterator[Problem]:
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        yield from _text_problems(value, field)
    elif isinstance(value, int | float):
        yield from _number_problems(value, field)
    elif depth >= MAX_DEPTH:
        yield Problem(field, f"Nested more than {MAX_DEPTH} levels deep; flatten it.", "too_deep")
    elif isinstance(value, dict):
        yield from _object_problems(value, field, depth)
    elif isinstance(value, list | tuple):
        for index, entry in enumerate(value):
            yield from _problems(entry, item(field, index), depth + 1)
    else:
        yield Problem(field, f"A {type(value).__name__} is not a JSON value.", "not_json")


def _object_problems(value: dict[Any, Any], field: str, depth: int) -> Iterator[Problem]:
    for key, entry in value.items():
        if isinstance(key, str):
            yield from _text_problems(key, field)
            yield from _problems(entry, under(field, key), depth + 1)
        else:
            yield Problem(field, f"The key {key!r} is not a string; JSON keys are strings.", "not_json")


def _number_problems(value: Any, field: str) -> Iterator[Problem]:
    if isinstance(value, float):
        yield Problem(field, f"{value!r} is a floating-point number, {_FLOAT_ADVICE}", "float")
    elif abs(value) > MAX_INTEGER:
        message = "The integer is beyond ±9007199254740991 and other readers would round it; write it as a string."
        yield Problem(field, message, "integer_too_large")


def _text_problems(value: str, field: str) -> Iterator[Problem]:
    if not value.isascii() and SURROGATE.search(value):
        yield Problem(field, "Contains half a surrogate pair, which is no text; send valid Unicode.", "surrogate")
    if "\x00" in value:
        yield Problem(field, "Contains a NUL character, which no text needs; remove it.", "nul")
