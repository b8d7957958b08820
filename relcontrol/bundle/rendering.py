"""Templates with `{{ name }}` slots, and the one request that a manifest makes of a client's (gateway.md, item 5).

A slot is the only thing that a template can say; anything else in braces is text. Values are put in once and never
read again for slots, so that what a user types cannot become template.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from relcontrol.bundle.errors import BundleError, Problem, item, one_problem, under
from relcontrol.bundle.preprocessing import DEFAULT_FIELD, apply

SYSTEM_ROLES: Final = ("system", "developer")
SLOT = re.compile(r"\{\{[ \t]*([A-Za-z_][A-Za-z0-9_]{0,63})[ \t]*\}\}")

# Settings of the client that mean the same as one of the manifest's and would otherwise stand beside it.
_OTHER_NAMES: Final = {
    "max_tokens": ("max_completion_tokens",),
    "max_completion_tokens": ("max_tokens",),
    "tools": ("functions", "function_call"),
}
_DECIMALS: Final = ("temperature", "top_p", "frequency_penalty", "presence_penalty")

Message = dict[str, Any]


def slots(text: str) -> frozenset[str]:
    """The names that a template wants."""
    return frozenset(SLOT.findall(text))


def render(template: str, variables: Mapping[str, str]) -> str:
    """The template with each slot replaced by its value; `BundleError` names every slot without one."""
    missing = sorted(slots(template) - variables.keys())
    if missing:
        raise BundleError(
            Problem(name, f"The template has a slot {{{{ {name} }}}}; send a value for it.", "missing_variable")
            for name in missing
        )
    return SLOT.sub(lambda slot: variables[slot[1]], template)


def render_request(
    *,
    prompt_template: Mapping[str, Any],
    few_shot: Mapping[str, Any] | None,
    generation: Mapping[str, Any],
    tools: Mapping[str, Any] | None,
    model_name: str,
    client_body: Mapping[str, Any],
    preprocessing_steps: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The body for the model server; the client's own body is left as it was.

    Artifacts are normalised values. The fields that preprocessing and slots see are the strings of the client's
    `metadata` and, as `input`, the text of the last user message: the text parts of a multi-part message joined by line
    feeds. Where nothing changes that text, the message goes on as it came; else it is one part in the place of the
    first, other parts untouched.
    """
    messages = _client_messages(client_body)
    last = _last_user_message(messages)
    fields = {**_metadata(client_body), DEFAULT_FIELD: _text_of(messages[last]["content"])}
    variables = apply(preprocessing_steps, fields)
    user = prompt_template["user"]
    text = variables[DEFAULT_FIELD] if user is None else render(user, variables)
    content = messages[last]["content"]
    wrapped = {**messages[last], "content": content if text == _text_of(content) else _with_text(content, text)}
    conversation = [*messages[:last], wrapped, *messages[last + 1 :]]
    return {
        **_client_settings(client_body, generation, tools),
        **_manifest_settings(generation, tools),
        "model": model_name,
        "messages": [
            *_system_messages(prompt_template, messages, variables),
            *(few_shot["messages"] if few_shot else ()),
            *(message for message in conversation if message["role"] not in SYSTEM_ROLES),
        ],
    }


def _client_messages(body: Mapping[str, Any]) -> list[Message]:
    messages = body.get("messages")
    if not isinstance(messages, list):
        raise one_problem("messages", "Must be a list of messages.", "wrong_type")
    problems = [problem for index, message in enumerate(messages) for problem in _message_problems(message, index)]
    if problems:
        raise BundleError(problems)
    return messages


def _message_problems(message: object, index: int) -> list[Problem]:
    path = item("messages", index)
    if not isinstance(message, dict) or not isinstance(message.get("role"), str):
        return [Problem(path, "Must be an object with a role and content.", "wrong_type")]
    content = message.get("content")
    parts = content if isinstance(content, list) else []
    if message["role"] == "user" and not isinstance(content, str | list):
        return [Problem(under(path, "content"), "Must be a string or a list of parts.", "wrong_type")]
    return [
        Problem(item(under(path, "content"), n), "Must be a part with a type; a text part has text.", "wrong_type")
        for n, part in enumerate(parts)
        if not isinstance(part, dict) or (part.get("type") == "text" and not isinstance(part.get("text"), str))
    ]


def _last_user_message(messages: Sequence[Message]) -> int:
    for index in range(len(messages) - 1, -1, -1):
        if messages[index]["role"] == "user":
            return index
    raise one_problem("messages", "Send at least one message with the role user.", "no_user_message")


def _metadata(body: Mapping[str, Any]) -> dict[str, str]:
    metadata = body.get("metadata")
    entries = metadata.items() if isinstance(metadata, dict) else ()
    return {key: value for key, value in entries if isinstance(value, str)}


def _text_of(content: str | list[dict[str, Any]]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content if part.get("type") == "text")


def _with_text(content: str | list[dict[str, Any]], text: str) -> str | list[dict[str, Any]]:
    if isinstance(content, str):
        return text
    place = next((index for index, part in enumerate(content) if part.get("type") == "text"), None)
    if place is None:
        return [{"type": "text", "text": text}, *content] if text else content
    others = [part for part in content[place + 1 :] if part.get("type") != "text"]
    return [*content[:place], {**content[place], "text": text}, *others]


def _system_messages(
    template: Mapping[str, Any], messages: Sequence[Message], variables: Mapping[str, str]
) -> list[Message]:
    theirs = [(index, message) for index, message in enumerate(messages) if message["role"] in SYSTEM_ROLES]
    rule = template["client_system"]
    if theirs and rule == "refuse":
        message = "This application takes no system messages from clients; leave it out."
        raise BundleError(Problem(item("messages", index), message, "client_system_refused") for index, _ in theirs)
    if theirs and rule == "replace":
        return [message for _, message in theirs]
    system = render(template["system"], variables)
    ours = [{"role": "system", "content": system}] if system else []
    return [*ours, *(message for _, message in theirs)]


def _client_settings(
    body: Mapping[str, Any], generation: Mapping[str, Any], tools: Mapping[str, Any] | None
) -> dict[str, Any]:
    ruled = {*generation, *(("tools",) if tools else ())}
    outvoted = {other for name in ruled for other in _OTHER_NAMES.get(name, ())}
    return {key: value for key, value in body.items() if key not in outvoted}


def _manifest_settings(generation: Mapping[str, Any], tools: Mapping[str, Any] | None) -> dict[str, Any]:
    settings = {key: float(value) if key in _DECIMALS else value for key, value in generation.items()}
    if tools:
        settings["tools"] = [{"type": "function", "function": tool} for tool in tools["tools"]]
    return settings
