"""A few of the requests that were found, with what was asked, for those who may read it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from releases.suggestions.looking import Request
from releases.traces.prompts import prompt_text

MOST_TEXT: Final = 1_000  # characters


@dataclass(frozen=True, slots=True)
class Example:
    """A request, what was asked in it, and the slice that would get it; "" where none is meant."""

    trace_id: str
    request_id: str
    started_at: datetime
    text: str
    slice: str = ""


def keep_example(kept: list[Example], most: int, request: Request, slug: str = "") -> None:
    """The newest of those that differ: a question that comes five times is shown once."""
    if len(kept) < most:
        text = prompt_text(request.row.prompt)[:MOST_TEXT]
        if all(text != example.text for example in kept):
            kept.append(Example(request.trace_id, request.request_id, request.started_at, text, slug))
