"""Artifacts: prompts, preprocessing, tool schemas, few-shot sets, guardrail policies, addressed by their content.

What is hashed is the normalised value (contracts.md): closed fields, defaults written out, strings in NFC, every key
present, one spelling where several are taken (few-shot `examples` become `messages`; OpenAI's wrapper around a tool's
`function` is taken off). Numbers with a fraction have no canonical form here and are refused with the way out. A
guardrail policy belongs to the customer's guardrail: its fields are kept as they are. A feature view says how old its
values may be, by which lineage checks them; a manifest names it by its ref and is not changed by it.
"""

from collections.abc import Callable
from typing import Any, Final

from relcontrol.bundle.canonical import canonical_bytes, sha256_ref
from relcontrol.bundle.errors import item, under
from relcontrol.bundle.preprocessing import normalise_steps
from relcontrol.bundle.reading import Reader

CLIENT_SYSTEM: Final = ("append", "replace", "refuse")
IDENTITY_PREPROCESSING: Final[dict[str, Any]] = {"kind": "preprocessing", "steps": []}
MAX_TEXT: Final = 200_000
MAX_NAME: Final = 64
MAX_TOOLS: Final = 128
MAX_MESSAGES: Final = 200
MAX_BYTES: Final = 1_048_576
MAX_FEATURES: Final = 1_000
MAX_AGE_SECONDS: Final = 10 * 365 * 86_400


def normalise_artifact(value: object, field: str = "value") -> dict[str, Any]:
    """The value as it is stored and hashed; `BundleError` with all its problems."""
    reader = Reader()
    kind = reader.choice(reader.mapping(value, field).get("kind"), under(field, "kind"), KINDS)
    body = KINDS[kind](value, field, reader) if kind else {}
    reader.close()
    artifact = {"kind": kind, **body}
    if len(canonical_bytes(artifact)) > MAX_BYTES:
        reader.refuse(field, f"Is larger than {MAX_BYTES:,} bytes; make it smaller.", "too_large")
        reader.close()
    return artifact


def artifact_digest(value: object) -> str:
    """`sha256:<hex>` of the normalised value: same content, same digest, whatever its name."""
    return sha256_ref(normalise_artifact(value))


def _prompt_template(value: object, field: str, reader: Reader) -> dict[str, Any]:
    entries = reader.closed(value, field, ("kind", "system", "user", "client_system"))
    user = entries.get("user")
    return {
        "system": reader.text(entries.get("system"), under(field, "system"), at_most=MAX_TEXT, empty=True),
        "user": None if user is None else reader.text(user, under(field, "user"), at_most=MAX_TEXT),
        "client_system": reader.choice(
            entries.get("client_system", "append"), under(field, "client_system"), CLIENT_SYSTEM
        ),
    }


def _preprocessing(value: object, field: str, reader: Reader) -> dict[str, Any]:
    entries = reader.closed(value, field, ("kind", "steps"))
    none: list[dict[str, Any]] = []
    return {"steps": reader.attempt(normalise_steps, entries.get("steps"), under(field, "steps"), none)}


def _tool_schemas(value: object, field: str, reader: Reader) -> dict[str, Any]:
    entries = reader.closed(value, field, ("kind", "tools"))
    path = under(field, "tools")
    tools = reader.items(entries.get("tools"), path, at_most=MAX_TOOLS)
    return {"tools": [_tool(tool, item(path, index), reader) for index, tool in enumerate(tools)]}


def _tool(value: object, field: str, reader: Reader) -> dict[str, Any]:
    if isinstance(value, dict) and "function" in value:
        wrapper = reader.closed(value, field, ("type", "function"))
        reader.choice(wrapper.get("type", "function"), under(field, "type"), ("function",))
        value, field = wrapper["function"], under(field, "function")
    entries = reader.closed(value, field, ("name", "description", "parameters", "strict"))
    strict = entries.get("strict", False)
    if not isinstance(strict, bool):
        reader.refuse(under(field, "strict"), "Must be true or false.", "wrong_type")
    return {
        "name": reader.text(entries.get("name"), under(field, "name"), at_most=MAX_NAME),
        "description": reader.text(
            entries.get("description", ""), under(field, "description"), at_most=MAX_TEXT, empty=True
        ),
        "parameters": _free_object(entries.get("parameters", {}), under(field, "parameters"), reader),
        "strict": strict,
    }


def _few_shot(value: object, field: str, reader: Reader) -> dict[str, Any]:
    entries = reader.closed(value, field, ("kind", "messages", "examples"))
    if ("messages" in entries) == ("examples" in entries):
        reader.refuse(field, "Give either messages or examples, not both and not neither.", "required")
        return {}
    key = "messages" if "messages" in entries else "examples"
    path = under(field, key)
    rows = reader.items(entries[key], path, at_most=MAX_MESSAGES)
    read = _message if key == "messages" else _example
    return {"messages": [message for index, row in enumerate(rows) for message in read(row, item(path, index), reader)]}


def _message(value: object, field: str, reader: Reader) -> list[dict[str, str]]:
    entries = reader.closed(value, field, ("role", "content"))
    role = reader.choice(entries.get("role"), under(field, "role"), ("user", "assistant"))
    return [{"role": role, "content": reader.text(entries.get("content"), under(field, "content"), at_most=MAX_TEXT)}]


def _example(value: object, field: str, reader: Reader) -> list[dict[str, str]]:
    entries = reader.closed(value, field, ("input", "output"))
    pairs = (("user", "input"), ("assistant", "output"))
    return [
        {"role": role, "content": reader.text(entries.get(key), under(field, key), at_most=MAX_TEXT)}
        for role, key in pairs
    ]


def _feature_view(value: object, field: str, reader: Reader) -> dict[str, Any]:
    entries = reader.closed(value, field, ("kind", "max_age_seconds", "features"))
    path = under(field, "features")
    rows = reader.items(entries.get("features", []), path, at_most=MAX_FEATURES)
    return {
        "max_age_seconds": _age(entries.get("max_age_seconds"), under(field, "max_age_seconds"), reader),
        "features": [_feature(row, item(path, index), reader) for index, row in enumerate(rows)],
    }


def _feature(value: object, field: str, reader: Reader) -> dict[str, Any]:
    entries = reader.closed(value, field, ("name", "max_age_seconds"))
    return {
        "name": reader.text(entries.get("name"), under(field, "name"), at_most=MAX_NAME),
        "max_age_seconds": _age(entries.get("max_age_seconds"), under(field, "max_age_seconds"), reader),
    }


def _age(value: object, field: str, reader: Reader) -> int | None:
    return None if value is None else reader.integer(value, field, low=1, high=MAX_AGE_SECONDS)


def _free_object(value: object, field: str, reader: Reader) -> dict[str, Any]:
    """An object that relcontrol does not interpret, only hashes."""
    normal = reader.json(reader.mapping(value, field), field)
    return normal if isinstance(normal, dict) else {}


KINDS: Final[dict[str, Callable[[object, str, Reader], dict[str, Any]]]] = {
    "prompt_template": _prompt_template,
    "preprocessing": _preprocessing,
    "tool_schemas": _tool_schemas,
    "few_shot": _few_shot,
    "guardrail_policy": _free_object,
    "feature_view": _feature_view,
}
