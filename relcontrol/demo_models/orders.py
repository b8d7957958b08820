"""What a chat request asks for, read from its body."""

from dataclasses import dataclass
from typing import Any, Final

from relcontrol.demo_models.behaviours import BEHAVIOURS, EMBEDDING, Behaviour
from relcontrol.demo_models.fields import Fields, below
from relcontrol.demo_models.refusals import (
    RefusedError,
    missing,
    too_many_tokens,
    unknown_model,
    wrong_type,
    wrong_value,
)
from relcontrol.demo_models.tokens import has_more_than

ROLES: Final = ("developer", "system", "user", "assistant", "tool", "function")
CONTEXT_TOKENS: Final = 128_000
MOST_STOPS: Final = 4
FORMS: Final = ("text", "json_object", "json_schema")


@dataclass(frozen=True, slots=True)
class Message:
    """One message as text."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Order:
    """One chat completion that was asked for."""

    behaviour: Behaviour
    messages: tuple[Message, ...]
    stream: bool = False
    include_usage: bool = False
    most_tokens: int | None = None
    stops: tuple[str, ...] = ()
    seed: int | None = None
    temperature: float = 1.0
    wants_json: bool = False

    def question(self) -> str:
        """What the user said last."""
        return next((message.text for message in reversed(self.messages) if message.role == "user"), "")


def chat_order(fields: Fields) -> Order:
    """The order of a body, or a refusal."""
    behaviour = _behaviour(fields.text("model"))
    messages = tuple(_message(item, f"messages[{place}]") for place, item in enumerate(fields.items("messages")))
    if has_more_than("\n".join(message.text for message in messages), CONTEXT_TOKENS):
        raise too_many_tokens(CONTEXT_TOKENS, "messages")
    fields.whole("n", least=1, most=1)
    return Order(
        behaviour=behaviour,
        messages=messages,
        stream=fields.truth("stream"),
        include_usage=_include_usage(fields),
        most_tokens=fields.whole("max_completion_tokens", least=1) or fields.whole("max_tokens", least=1),
        stops=_stops(fields),
        seed=fields.whole("seed"),
        temperature=1.0 if (warm := fields.number("temperature", least=0, most=2)) is None else warm,
        wants_json=_wants_json(fields),
    )


def _behaviour(name: str) -> Behaviour:
    if name == EMBEDDING:
        message = "This is not a chat model and thus not supported in the v1/chat/completions endpoint."
        raise RefusedError(404, message, param="model")
    if name not in BEHAVIOURS:
        raise unknown_model(name)
    return BEHAVIOURS[name]


def _message(item: object, path: str) -> Message:
    fields = below(item, path)
    role = fields.text("role")
    if role not in ROLES:
        raise wrong_value(fields.named("role"), f"one of {', '.join(ROLES)}")
    content = fields.value("content")
    if content is None and role != "assistant":  # an assistant that calls a tool says nothing
        raise missing(fields.named("content"))
    return Message(role, _text(content, fields.named("content")))


def _text(content: Any, path: str) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list):
        raise wrong_type(path, "a string or an array of parts", content)
    return "\n".join(_part(part, f"{path}[{place}]") for place, part in enumerate(content))


def _part(part: object, path: str) -> str:
    fields = below(part, path)
    if fields.text("type") != "text":
        raise wrong_value(fields.named("type"), "text: these demo models read nothing else")
    return fields.text("text")


def _include_usage(fields: Fields) -> bool:
    options = fields.inner("stream_options")
    if options is None:
        return False
    if not fields.truth("stream"):
        message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        raise RefusedError(400, message, param="stream_options")
    return options.truth("include_usage")


def _wants_json(fields: Fields) -> bool:
    asked = fields.inner("response_format")
    if asked is None:
        return False
    form = asked.text("type")
    if form not in FORMS:
        raise wrong_value(asked.named("type"), f"one of {', '.join(FORMS)}")
    if form == "json_schema":
        named = asked.inner("json_schema")
        if named is None:
            raise missing(asked.named("json_schema"))
        named.text("name")
    return form != "text"


def _stops(fields: Fields) -> tuple[str, ...]:
    value = fields.value("stop")
    if value is None or isinstance(value, str):
        return (value,) if value else ()
    stops = fields.items("stop")
    if len(stops) > MOST_STOPS or not all(isinstance(stop, str) and stop for stop in stops):
        raise wrong_value("stop", f"a string, or up to {MOST_STOPS} strings that are not empty")
    return tuple(stops)
