"""Whether tools are described so that a model server takes them: names, descriptions, JSON Schema of the parameters."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from relcontrol.bundle.errors import item, under

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TYPES: Final = frozenset({"object", "array", "string", "integer", "number", "boolean", "null"})

ToolProblem = tuple[str, str, str]


def tool_problems(tools: Mapping[str, Any] | None) -> Iterator[ToolProblem]:
    """(code, message, field) of everything wrong with normalised tool schemas."""
    entries = tools["tools"] if tools else []
    for index, tool in enumerate(entries):
        path = item("tool_schemas.tools", index)
        if not _NAME.fullmatch(tool["name"]):
            message = "A tool's name is made of up to 64 letters, digits, '_' and '-'."
            yield "tool_name", message, under(path, "name")
        if not tool["description"].strip():
            yield "tool_description", "Say what the tool does; the model chooses by it.", under(path, "description")
        yield from _parameter_problems(tool["parameters"], under(path, "parameters"))
    for name, count in Counter(tool["name"] for tool in entries).items():
        if count > 1:
            yield "tool_duplicate", f"{count} tools are called {name!r}; rename all but one.", "tool_schemas.tools"


def _parameter_problems(schema: Mapping[str, Any], path: str) -> Iterator[ToolProblem]:
    if schema and schema.get("type") != "object":
        yield "tool_schema", 'The parameters are a JSON Schema of "type": "object".', under(path, "type")
    yield from _schema_problems(schema, path)


def _schema_problems(schema: object, path: str) -> Iterator[ToolProblem]:
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict):
        yield "tool_schema", "A JSON Schema is an object.", path
        return
    yield from _type_problems(schema, path)
    yield from _required_problems(schema, path)
    properties = schema.get("properties", {})
    if not isinstance(properties, dict):
        yield "tool_schema", "The properties are an object of schemas.", under(path, "properties")
        return
    for name, child in properties.items():
        yield from _schema_problems(child, under(under(path, "properties"), name))
    if "items" in schema:
        yield from _schema_problems(schema["items"], under(path, "items"))


def _type_problems(schema: Mapping[str, Any], path: str) -> Iterator[ToolProblem]:
    named = schema.get("type", [])
    for kind in named if isinstance(named, list) else [named]:
        if not isinstance(kind, str) or kind not in _TYPES:
            yield (
                "tool_schema",
                f"{kind!r} is no JSON type; use one of {', '.join(sorted(_TYPES))}.",
                under(path, "type"),
            )


def _required_problems(schema: Mapping[str, Any], path: str) -> Iterator[ToolProblem]:
    required, properties = schema.get("required", []), schema.get("properties", {})
    if not isinstance(required, list):
        yield "tool_schema", "The required properties are a list of names.", under(path, "required")
    elif isinstance(properties, dict):
        for name in required:
            if not isinstance(name, str) or name not in properties:
                yield "tool_schema", f"Requires {name!r}, which is no property; add it.", under(path, "required")
