"""What a client asked, out of the input of a trace: the text itself, or the last message of its user. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any


def prompt_text(prompt: str | Mapping[str, Any] | None) -> str:
    """The last user message's text; "" where there is none, whatever shape the input has."""
    if isinstance(prompt, str):
        return prompt
    messages = prompt.get("messages") if prompt else None
    if not isinstance(messages, list):
        return ""
    asked = (entry for entry in reversed(messages) if isinstance(entry, Mapping) and entry.get("role") == "user")
    return _content_text(next(asked, {}).get("content"))


def _content_text(content: object) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, Sequence):
        return ""
    texts = (part.get("text") for part in content if isinstance(part, Mapping))
    return "\n".join(text for text in texts if isinstance(text, str))
