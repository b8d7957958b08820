"""Reading the payload of a snapshot field by field; what is missing or of another kind refuses the whole snapshot.

Fields that are not known here are let pass: a newer control plane may say more.
"""

from collections.abc import Mapping
from typing import Any, Final

from relcontrol.bundle.errors import item, under
from releases.gateway.control.errors import SnapshotRefusedError

SHAPE: Final = "shape"
SHOWN: Final = 60
MAX_NUMBER: Final = 2**53 - 1


def refuse(code: str, path: str, expected: str, got: object) -> SnapshotRefusedError:
    """The refusal of one place: what was expected there, and what was there."""
    shown = repr(got)
    shown = shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}…"
    return SnapshotRefusedError(code, f"{path or 'the payload'}: expected {expected}, got {shown}")


def mapping(value: object, path: str) -> Mapping[str, Any]:
    """A JSON object."""
    if isinstance(value, dict):
        return value
    raise refuse(SHAPE, path, "an object", value)


def items(parent: Mapping[str, Any], name: str, path: str) -> list[tuple[Mapping[str, Any], str]]:
    """The objects of a list, each with its path."""
    place, value = under(path, name), parent.get(name)
    if not isinstance(value, list):
        raise refuse(SHAPE, place, "a list", value)
    return [(mapping(entry, item(place, index)), item(place, index)) for index, entry in enumerate(value)]


def text(parent: Mapping[str, Any], name: str, path: str, *, empty: bool = False) -> str:
    """A string."""
    value = parent.get(name)
    if isinstance(value, str) and (value or empty):
        return value
    raise refuse(SHAPE, under(path, name), "a string" if empty else "a string that is not empty", value)


def optional_text(parent: Mapping[str, Any], name: str, path: str) -> str | None:
    """A string or null; the field must be there."""
    if name in parent and parent[name] is None:
        return None
    return text(parent, name, path)


def number(parent: Mapping[str, Any], name: str, path: str, *, low: int = 0, high: int = MAX_NUMBER) -> int:
    """A whole number in a range."""
    value = parent.get(name)
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
        return value
    raise refuse(SHAPE, under(path, name), f"a whole number from {low} to {high}", value)
