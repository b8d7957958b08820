"""A span as both encodings of OTLP give it, and what makes a request unreadable as a whole.

Attribute values are plain JSON values by then: numbers that JSON does not know are texts, bytes are base64.
"""

import math
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

Attributes = dict[str, Any]

TRACE_ID_DIGITS: Final = 32
SPAN_ID_DIGITS: Final = 16


class MalformedError(ValueError):
    """The request is not OTLP; nothing of it is taken."""


class Event(NamedTuple):
    """Something that happened during a span: `at` in nanoseconds since 1970."""

    name: str
    at: int
    attributes: Attributes


@dataclass(slots=True)
class Span:
    """One span. Ids are lower-case hex, as sent (a wrong one is told of later); times are nanoseconds since 1970.

    `attributes` are the resource's and the span's; the span's win.
    """

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    start: int
    end: int
    failed: bool
    attributes: Attributes
    events: list[Event]


def finite(number: float) -> float | str:
    """The number, or its name where JSON has none for it (`nan`, `inf`)."""
    return number if math.isfinite(number) else str(number)
