"""What a model said, gathered for the trace from a whole answer or from the pieces of a stream; bounded.

Only the first choice is kept: it is the one that pages show and judges score.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

LARGEST_OUTPUT: Final = 192 * 1024  # bytes at most; as JSON twice that, under the edge's mebibyte with the input
UTF8_AT_MOST: Final = 4
MOST_TOOL_CALLS: Final = 128


@dataclass(slots=True)
class ToolCall:
    """A call as the model asked for it; a gateway never makes one."""

    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        function = {"name": self.name, "arguments": "".join(self.arguments)}
        return {"id": self.id, "type": "function", "function": function}


class Output:
    """The gathered answer."""

    __slots__ = ("_content", "_refusal", "_room", "_tool_calls", "finish_reason", "input_tokens", "output_tokens")

    def __init__(self) -> None:
        self._content: list[str] = []
        self._refusal: list[str] = []
        self._tool_calls: dict[int, ToolCall] = {}
        self._room = LARGEST_OUTPUT
        self.finish_reason: str | None = None
        self.input_tokens: int | None = None
        self.output_tokens: int | None = None

    def add(self, said: Mapping[str, Any]) -> bool:
        """Take a message or a delta; whether it said anything (a first token is the first that does)."""
        content, refusal = said.get("content"), said.get("refusal")
        if isinstance(content, str) and content:
            self._keep(self._content, content)
        if isinstance(refusal, str) and refusal:
            self._keep(self._refusal, refusal)
        calls = said.get("tool_calls")
        if isinstance(calls, list):
            for place, call in enumerate(calls):
                self._add_call(call, place)
        return bool(content or refusal or calls)

    def finish(self, reason: object) -> None:
        """Why the model stopped."""
        if isinstance(reason, str):
            self.finish_reason = reason

    def count(self, usage: Mapping[str, Any]) -> None:
        """The tokens that the server says it read and wrote."""
        self.input_tokens = _whole(usage.get("prompt_tokens"), self.input_tokens)
        self.output_tokens = _whole(usage.get("completion_tokens"), self.output_tokens)

    def as_json(self) -> str | dict[str, Any] | None:
        """A plain text where there is nothing else to say, None where nothing was said at all."""
        content = "".join(self._content)
        if not (self._content or self._refusal or self._tool_calls or self.finish_reason):
            return None
        if not self._refusal and not self._tool_calls and self.finish_reason == "stop":
            return content
        return {
            "content": content or None,
            "tool_calls": [call.as_json() for _, call in sorted(self._tool_calls.items())],
            "refusal": "".join(self._refusal) or None,
            "finish_reason": self.finish_reason,
        }

    def _keep(self, pieces: list[str], text: str) -> None:
        if self._room > 0:
            width = 1 if text.isascii() else UTF8_AT_MOST
            pieces.append(text[: self._room // width])
            self._room -= len(text) * width

    def _add_call(self, call: object, place: int) -> None:
        if not isinstance(call, Mapping):
            return
        index = call.get("index", place)
        if not isinstance(index, int) or (index not in self._tool_calls and len(self._tool_calls) >= MOST_TOOL_CALLS):
            return
        kept = self._tool_calls.setdefault(index, ToolCall())
        function = call.get("function")
        kept.id = _first(kept.id, call.get("id"))
        if isinstance(function, Mapping):
            kept.name = _first(kept.name, function.get("name"))
            if isinstance(arguments := function.get("arguments"), str):
                self._keep(kept.arguments, arguments)


def _first(known: str, given: object) -> str:
    return known or (given[:200] if isinstance(given, str) else "")


def _whole(value: object, before: int | None) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else before
