"""Line differences for the eye: what is gone, what is new, with the unchanged middle folded away. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

CONTEXT_LINES = 3
WORTH_FOLDING = 2


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the picture. `folded` stands for that many equal lines that are not shown."""

    kind: Literal["same", "gone", "new", "folded"]
    text: str = ""
    before: int | None = None
    after: int | None = None
    folded: int = 0


def line_differences(before: str, after: str, *, context: int = CONTEXT_LINES) -> list[Line]:
    """The lines of both texts in reading order, equal runs shortened to `context` lines at each end."""
    old, new = before.splitlines(), after.splitlines()
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    lines: list[Line] = []
    runs = matcher.get_opcodes()
    for place, (tag, old_from, old_to, new_from, new_to) in enumerate(runs):
        if tag == "equal":
            same = [Line("same", old[i], i + 1, i + 1 - old_from + new_from) for i in range(old_from, old_to)]
            lines += _folded(same, context, first=place == 0, last=place == len(runs) - 1)
        else:
            lines += _numbered("gone", old, old_from, old_to)
            lines += _numbered("new", new, new_from, new_to)
    return lines


def _numbered(kind: Literal["gone", "new"], texts: Sequence[str], start: int, end: int) -> Iterator[Line]:
    for index in range(start, end):
        number = index + 1
        yield Line(kind, texts[index], number, None) if kind == "gone" else Line(kind, texts[index], None, number)


def _folded(same: list[Line], context: int, *, first: bool, last: bool) -> list[Line]:
    """Keep `context` lines next to a change; a fold that would save a single line is not worth it."""
    head, tail = (0 if first else context), (0 if last else context)
    hidden = len(same) - head - tail
    if hidden < WORTH_FOLDING:
        return same
    return [*same[:head], Line("folded", folded=hidden), *same[len(same) - tail :]]
