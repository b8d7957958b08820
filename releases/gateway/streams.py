"""Server-sent events of a chat stream: passed on byte for byte, and read on the way for the trace.

The only thing ever left out is the event with the usage, where the gateway asked for it and the client did not. Then
an event is passed on once it is whole; otherwise bytes go on as they come, wherever they were cut.
"""

import json
import re
from itertools import pairwise
from typing import Any, Final

from releases.gateway.outputs import Output

LARGEST_EVENT: Final = 4 * 1024 * 1024
CHUNK: Final = "chat.completion.chunk"
_DONE: Final = b"[DONE]"
# Two line ends of any kind (HTML standard, 9.2.5). A carriage return that is the last byte may be half of one.
_BLANK: Final = re.compile(rb"(?>\r\n|\n|\r(?!\Z)){2}")


class ChatStream:
    """Reads one stream. `done` says that nothing more will come, `broken` that nothing more is worth reading.

    Broken is what is no chat stream, and an error in the middle of one; the client sees that event and then no end.
    """

    __slots__ = ("_hide_usage", "_tail", "broken", "done", "output", "spoke")

    def __init__(self, *, hide_usage: bool) -> None:
        self.output = Output()
        self.done = False
        self.broken = False
        self.spoke = False  # a first token has been seen
        self._hide_usage = hide_usage
        self._tail = b""

    @property
    def ended_well(self) -> bool:
        """Whether a connection that ends here is an end, and not a break."""
        return not self.broken and (self.done or self.output.finish_reason is not None)

    def feed(self, data: bytes) -> bytes:
        """Read the next bytes; what the client is to see of them."""
        *events, self._tail = _split(self._tail + data if self._tail else data)
        shown = [event for event in events if self._read(event)]
        self.broken = self.broken or len(self._tail) > LARGEST_EVENT
        return b"".join(shown) if self._hide_usage else data

    def close(self) -> bytes:
        """The connection has ended: what is left of an event, where it has not been passed on."""
        tail, self._tail = self._tail, b""
        return tail if tail and self._read(tail) and self._hide_usage else b""

    def _read(self, event: bytes) -> bool:
        """Take one event in; whether the client is to see it."""
        body = _payload(event)
        if not body:
            return True
        if body == _DONE:
            self.done = True
            return True
        try:
            chunk = json.loads(body)
        except (ValueError, RecursionError):
            chunk = None
        choices = chunk.get("choices") if isinstance(chunk, dict) else None
        if choices is None and isinstance(chunk, dict) and chunk.get("object") == CHUNK and not chunk.get("error"):
            choices = []  # some servers say so that there are none in this one
        if not isinstance(choices, list):
            self.broken = True  # an error object has no choices, either
            return True
        return self._take(choices, chunk.get("usage"))

    def _take(self, choices: list[Any], usage: object) -> bool:
        if isinstance(usage, dict):
            self.output.count(usage)
        for choice in choices:
            if isinstance(choice, dict) and choice.get("index", 0) == 0:
                delta = choice.get("delta")
                if isinstance(delta, dict) and self.output.add(delta):
                    self.spoke = True
                self.output.finish(choice.get("finish_reason"))
        return not (self._hide_usage and not choices and isinstance(usage, dict))


def _split(data: bytes) -> list[bytes]:
    """Whole events, each with the blank line that ends it, and the rest."""
    if b"\r" not in data:
        *events, rest = data.split(b"\n\n")
        return [*(event + b"\n\n" for event in events), rest]
    ends = [blank.end() for blank in _BLANK.finditer(data)]  # also of proxies that end their own lines otherwise
    return [data[start:end] for start, end in pairwise([0, *ends, len(data)])]


def _payload(event: bytes) -> bytes:
    """The data lines of an event, joined as the standard says; empty for a comment."""
    if event.startswith(b"data:") and b"\n" not in (line := event[5:].strip()) and b"\r" not in line:
        return line
    lines = [line[5:].strip() for line in event.splitlines() if line.startswith(b"data:")]
    return b"\n".join(lines)
