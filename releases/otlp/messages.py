"""What was asked and answered, out of every dialect, as an OpenAI client would have sent and received it. Pure.

Dialects: GenAI's messages of parts, OpenAI's own, OpenInference's and OpenLLMetry's indexed attributes, events, plain
text. Reasoning is left out: it is not the answer. Of several choices the first is kept.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from releases.otlp import attributes as names
from releases.otlp.attributes import Names, indexed
from releases.otlp.span import Attributes, Event
from releases.otlp.strict_json import parsed

EVENT_ROLES: Final[Mapping[str, str]] = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
CHOICE: Final = "gen_ai.choice"
DETAILS: Final = frozenset(
    {"gen_ai.client.inference.operation.details", "gen_ai.content.prompt", "gen_ai.content.completion"}
)
WRAPPERS: Final = frozenset({"message", "tool_call", "message_content"})  # OpenInference names each level twice
KEPT: Final = frozenset({"name", "tool_call_id", "refusal", "finish_reason"})
BODIES: Final = ("messages", "choices")  # of a request and of an answer of the OpenAI API
SAID: Final = frozenset({"role", "content", "parts", "contents", "tool_calls", "refusal"})
ANSWER: Final = ("tool_calls", "refusal", "finish_reason")


def with_details(attributes: Attributes, events: Iterable[Event]) -> Attributes:
    """The attributes, and below them those of events that only carry what the span could have carried."""
    for event in events:
        if event.name in DETAILS:
            attributes = event.attributes | attributes
    return attributes


def asked(attributes: Attributes, told: Attributes, events: Iterable[Event]) -> dict[str, Any]:
    """The body of the request: `messages` and the settings, `model` if it was named."""
    given = _given(attributes, names.INPUT_INDEXED, told.get("input"), told.get("input_text"))
    body = dict(given) if isinstance(given, dict) and isinstance(given.get("messages"), list) else {}
    messages = _messages(body.get("messages", given), "user") or _of_events(events)
    system = _messages(_instructions(told.get("system")), "system")
    body.pop("metadata", None)
    body |= _settings(attributes, told)
    body["messages"] = system + messages
    return body


def answered(attributes: Attributes, told: Attributes, events: Iterable[Event]) -> dict[str, Any] | str | None:
    """The answer: a text, an object where there is more to it than text, None where none was recorded."""
    given = _given(attributes, names.OUTPUT_INDEXED, told.get("output"), told.get("output_text"))
    if isinstance(given, dict) and isinstance(given.get("choices"), list):
        given = given["choices"]
    messages = _messages(given, "assistant") or [_of_event(one, "assistant") for one in events if one.name == CHOICE]
    if not messages:
        return None
    message = messages[0]
    reason = _first_reason(told.get("finish_reasons"))
    if reason is not None:
        message.setdefault("finish_reason", reason)
    more = {name: message[name] for name in ANSWER if message.get(name)}
    content = message["content"]
    return {"content": content} | more if more or isinstance(content, list) else content


def _given(attributes: Attributes, prefixes: Names, messages: Any, either: Any) -> Any:
    """Messages as one attribute, as many indexed ones, or as what may be messages or any text, in this order."""
    return _recorded(messages if messages is not None else indexed(attributes, prefixes) or either)


def _recorded(value: Any) -> Any:
    """Messages that were written as JSON; any other text stays one, also where it happens to be JSON."""
    if not isinstance(value, str):
        return value
    given = parsed(value)
    if isinstance(given, dict) and any(isinstance(given.get(name), list) for name in BODIES):
        return given
    listed = given if isinstance(given, list) else [given]
    return given if listed and all(_is_message(_unwrapped(one)) for one in listed) else value


def _is_message(given: Any) -> bool:
    return isinstance(given, dict) and ("role" in given or "parts" in given)


def _settings(attributes: Attributes, told: Attributes) -> dict[str, Any]:
    invocation = _json(told.get("invocation"))
    found = dict(invocation) if isinstance(invocation, dict) else {}
    for name in names.SETTINGS.keys() & attributes.keys():
        if attributes[name] is not None:
            found[names.SETTINGS[name]] = attributes[name]
    if isinstance(told.get("request_model"), str):
        found["model"] = told["request_model"]
    found.pop("metadata", None)
    return found


def _instructions(given: Any) -> Any:
    if given is None:
        return None
    given = _json(given)
    if isinstance(given, list) and not any(isinstance(part, dict) and "role" in part for part in given):
        return [{"role": "system", "parts": given}] if given else []
    return given


def _messages(given: Any, role: str) -> list[dict[str, Any]]:
    """Chat messages of a list of them, of one, or of a text that `role` said."""
    if given is None or given in ("", [], {}):
        return []
    return [_message(one, role) for one in (given if isinstance(given, list) else [given])]


def _message(given: Any, role: str) -> dict[str, Any]:
    given = _unwrapped(given)
    if not isinstance(given, dict):
        return {"role": role, "content": given if isinstance(given, str) else _text(given)}
    if SAID.isdisjoint(given):
        return {"role": role, "content": given["text"] if isinstance(given.get("text"), str) else _text(given)}
    speaker = given.get("role")
    message: dict[str, Any] = {
        "role": speaker if isinstance(speaker, str) and speaker else role,
        "content": _content(given.get("content")),
    }
    parts = given.get("parts") or given.get("contents")
    if isinstance(parts, list):
        message |= _of_parts(parts)
    calls = given.get("tool_calls")
    if isinstance(calls, list) and calls:
        message["tool_calls"] = [_tool_call(_unwrapped(call)) for call in calls]
    for name in KEPT & given.keys():
        if given[name]:
            message[name] = given[name]
    return message


def _content(value: Any) -> str | list[Any] | None:
    return value if value is None or isinstance(value, list) else _text(value)


def _unwrapped(given: Any) -> Any:
    """A choice or an OpenInference level without its wrapper; what stands beside the wrapper is kept."""
    while isinstance(given, dict) and not WRAPPERS.isdisjoint(given):
        wrapper = next((name for name in sorted(WRAPPERS) if isinstance(given.get(name), dict)), None)
        if wrapper is None:
            return given
        given = {name: value for name, value in given.items() if name != wrapper} | given[wrapper]
    return given


def _of_parts(parts: list[Any]) -> dict[str, Any]:
    """Content and tool calls of GenAI's parts; other parts than text stand in the content as they came."""
    made: dict[str, Any] = {}
    content: list[Any] = []
    for part in map(_unwrapped, parts):
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "tool_call":
            made.setdefault("tool_calls", []).append(_tool_call(part))
        elif kind == "tool_call_response":
            made |= {"role": "tool", "tool_call_id": part.get("id")}
            content.append(_text(part.get("response", part.get("result"))))
        elif kind == "text":
            content.append(_text(part.get("content", part.get("text"))))
        elif kind != "reasoning":
            content.append(part)
    made["content"] = _joined(content)
    return made


def _joined(content: list[Any]) -> Any:
    if len(content) == 1 and isinstance(content[0], str):
        return content[0]
    if all(isinstance(part, str) for part in content):
        return "\n".join(content) if content else None
    return [{"type": "text", "text": part} if isinstance(part, str) else part for part in content]


def _tool_call(call: Any) -> dict[str, Any]:
    if not isinstance(call, dict):
        return {"type": "function", "function": {"name": "", "arguments": _text(call)}}
    inner = call.get("function")
    function = inner if isinstance(inner, dict) else call
    told = {"name": function.get("name"), "arguments": _text(function.get("arguments"))}
    return {"id": call.get("id"), "type": "function", "function": told}


def _of_events(events: Iterable[Event]) -> list[dict[str, Any]]:
    return [_of_event(event, EVENT_ROLES[event.name]) for event in events if event.name in EVENT_ROLES]


def _of_event(event: Event, role: str) -> dict[str, Any]:
    told = {name.removeprefix("gen_ai.event."): _json(value) for name, value in event.attributes.items()}
    content = told.get("content")
    if isinstance(content, dict):
        told |= content
    if role == "tool" and "id" in told:
        told["tool_call_id"] = told["id"]
    return _message(told, role)


def _first_reason(reasons: Any) -> Any:
    reasons = _json(reasons)
    if isinstance(reasons, list):
        return reasons[0] if reasons else None
    return reasons


def _json(value: Any) -> Any:
    return parsed(value) if isinstance(value, str) else value


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
