"""Strict JSON (RFC 8259): one meaning for every text, or a refusal that names line and column.

Python's reader is fast but lenient. Here duplicate keys, NaN and Infinity, numbers beyond a double, invalid UTF-8,
trailing text, too many bytes and too deep nesting are refused. A good text is read at the fast reader's speed; only a
refused one is scanned a second time, to say where.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Final, NoReturn

from relcontrol.bundle.errors import BundleError, one_problem

DEFAULT_MAX_BYTES: Final = 1_048_576
DEFAULT_MAX_DEPTH: Final = 32
MAX_INTEGER_DIGITS: Final = 40

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]|-?Infinity|NaN|-?\d[\d.eE+-]*', re.DOTALL)
_COLON = re.compile(r"[ \t\r\n]*:")
_MESSAGES: Final = {
    "duplicate_key": "The same key stands twice in one object; keep one",
    "not_a_number": "NaN and Infinity are no JSON numbers; leave the value out or write null",
    "number_too_large": "The number is too large to be kept exactly; write it as a string",
    "too_deep": "Nested deeper than {max_depth} levels; flatten it",
}


class _FaultError(Exception):
    """Raised inside the fast reader, which does not know where it is."""


def strict_loads(source: bytes | str, max_bytes: int = DEFAULT_MAX_BYTES, max_depth: int = DEFAULT_MAX_DEPTH) -> Any:
    """The JSON value of `source`; `BundleError` says what is wrong at which line and column (both from 1)."""
    text = _decoded(source, max_bytes)
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise _placed(text, error.pos, "malformed_json", f"Not JSON: {error.msg}") from error
    except (_FaultError, RecursionError) as error:
        raise _first_fault(text, max_depth) from error
    if _deeper_than(value, max_depth):
        raise _first_fault(text, max_depth)
    return value


def _decoded(source: bytes | str, max_bytes: int) -> str:
    size = len(source) if isinstance(source, bytes) else len(source.encode("utf-8", "surrogatepass"))
    if size > max_bytes:
        raise one_problem("", f"{size:,} bytes are more than the {max_bytes:,} allowed; send less.", "too_large")
    if isinstance(source, str):
        return source
    try:
        return source.decode("utf-8")
    except UnicodeDecodeError as error:
        before = source[: error.start].decode("utf-8")
        raise _placed(before, len(before), "not_utf8", "Not valid UTF-8; encode the text as UTF-8") from error


def _placed(text: str, offset: int, code: str, message: str) -> BundleError:
    line = text.count("\n", 0, offset) + 1
    column = offset - text.rfind("\n", 0, offset)
    place = f"line {line}, column {column}"
    return one_problem(place, f"{message} ({place}).", code)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _FaultError
    return value


def _integer(digits: str) -> int:
    if len(digits) > MAX_INTEGER_DIGITS:
        raise _FaultError
    return int(digits)


def _real(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise _FaultError
    return number


def _constant(_name: str) -> NoReturn:
    raise _FaultError


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_float=_real, parse_constant=_constant)


def _deeper_than(value: Any, max_depth: int) -> bool:
    level = [value]
    for _ in range(max_depth + 1):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return False
    return True


def _children(value: Any) -> Iterator[Any]:
    """What a container holds; an empty container still counts as a level, so it stands for itself once."""
    if isinstance(value, dict):
        yield from value.values() or (None,)
    elif isinstance(value, list):
        yield from value or (None,)


def _first_fault(text: str, max_depth: int) -> BundleError:
    """The first place in well-formed `text` that breaks one of the rules in `_MESSAGES`."""
    open_objects: list[set[str] | None] = []
    for match in _TOKEN.finditer(text):
        if code := _fault_of(match, open_objects, max_depth):
            return _placed(text, match.start(), code, _MESSAGES[code].format(max_depth=max_depth))
    return one_problem("", _MESSAGES["too_deep"].format(max_depth=max_depth) + ".", "too_deep")


def _fault_of(match: re.Match[str], open_objects: list[set[str] | None], max_depth: int) -> str:
    token = match.group()
    if token in ("{", "["):
        open_objects.append(set() if token.startswith("{") else None)
        return "too_deep" if len(open_objects) > max_depth else ""
    if token in ("}", "]"):
        open_objects.pop()
        return ""
    if token.startswith('"'):
        is_key = _COLON.match(match.string, match.end())
        return "duplicate_key" if is_key and _seen_before(token, open_objects[-1]) else ""
    return _number_fault(token)


def _seen_before(token: str, keys: set[str] | None) -> bool:
    key = json.loads(token)
    if keys is None or key in keys:
        return True
    keys.add(key)
    return False


def _number_fault(token: str) -> str:
    if token.lstrip("-") in ("NaN", "Infinity"):
        return "not_a_number"
    try:
        _integer(token) if token.lstrip("-").isdigit() else _real(token)
    except _FaultError:
        return "number_too_large"
    return ""
