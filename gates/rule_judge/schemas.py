"""The shape that an answer in JSON must have: a closed subset of JSON Schema (draft 2020-12).

Known are `type` (one word), `enum` (texts, whole numbers, booleans, null), `required`, `properties` and `items`, with
the meaning that they have there; any other keyword is refused, as one that is ignored would judge nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from relcontrol.bundle.errors import item, under
from relcontrol.bundle.reading import Reader

KEYWORDS: Final = ("type", "enum", "required", "properties", "items")
MAX_DEPTH: Final = 8
MAX_ENTRIES: Final = 100
MAX_NAME: Final = 200


def read_schema(reader: Reader, value: object, field: str, depth: int = 0) -> dict[str, Any] | None:
    """A schema of the subset with what it says, or null."""
    if value is None:
        return None
    if depth > MAX_DEPTH:
        reader.refuse(field, f"Nested deeper than {MAX_DEPTH} levels; flatten it.", "too_deep")
        return None
    given = reader.closed(value, field, KEYWORDS)
    schema: dict[str, Any] = {}
    if "type" in given:
        schema["type"] = reader.choice(given["type"], under(field, "type"), tuple(_TYPES))
    if "enum" in given:
        schema["enum"] = _enum(reader, given["enum"], under(field, "enum"))
    if "required" in given:
        schema["required"] = _names(reader, given["required"], under(field, "required"))
    if "properties" in given:
        schema["properties"] = _properties(reader, given["properties"], under(field, "properties"), depth)
    if "items" in given:
        schema["items"] = read_schema(reader, given["items"], under(field, "items"), depth + 1) or {}
    return schema


def _enum(reader: Reader, value: object, field: str) -> list[Any]:
    entries = reader.items(value, field, at_most=MAX_ENTRIES)
    for place, entry in enumerate(entries):
        if isinstance(entry, dict | list):
            reader.refuse(item(field, place), "Must be a text, a whole number, true, false or null.", "wrong_type")
    return [reader.json(entry, item(field, place)) for place, entry in enumerate(entries)]


def _names(reader: Reader, value: object, field: str) -> list[str]:
    entries = reader.items(value, field, at_most=MAX_ENTRIES)
    return [reader.text(entry, item(field, place), at_most=MAX_NAME) for place, entry in enumerate(entries)]


def _properties(reader: Reader, value: object, field: str, depth: int) -> dict[str, Any]:
    entries = reader.mapping(value, field)
    if len(entries) > MAX_ENTRIES:
        reader.refuse(field, f"Has {len(entries)} entries; at most {MAX_ENTRIES} are taken.", "too_many")
        return {}
    return {
        reader.text(name, field, at_most=MAX_NAME): read_schema(reader, inner, under(field, name), depth + 1) or {}
        for name, inner in entries.items()
    }


def violations(schema: Mapping[str, Any], value: object, path: str = "the answer") -> Iterator[str]:
    """A sentence for each place at which a value is not as the schema says."""
    wanted = schema.get("type")
    if wanted is not None and not _TYPES[wanted](value):
        yield f"{path} is not of type {wanted}"
        return
    if "enum" in schema and not any(_same(value, allowed) for allowed in schema["enum"]):
        yield f"{path} is none of the allowed values"
    if isinstance(value, dict):
        yield from _of_object(schema, value, path)
    elif isinstance(value, list) and "items" in schema:
        for place, entry in enumerate(value):
            yield from violations(schema["items"], entry, f"{path}[{place}]")


def _of_object(schema: Mapping[str, Any], value: Mapping[str, Any], path: str) -> Iterator[str]:
    required: Sequence[str] = schema.get("required", ())
    for name in required:
        if name not in value:
            yield f"{path} has no {name}"
    for name, inner in schema.get("properties", {}).items():
        if name in value:
            yield from violations(inner, value[name], f"{path}.{name}")


def _same(value: object, allowed: object) -> bool:
    """Equal as JSON: true is not 1, while 1.0 is."""
    return isinstance(value, bool) == isinstance(allowed, bool) and value == allowed


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _whole(value: object) -> bool:
    return _number(value) and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))


_TYPES: Final[Mapping[str, Callable[[object], bool]]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "number": _number,
    "integer": _whole,
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}
