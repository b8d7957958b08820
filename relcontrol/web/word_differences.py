"""Word differences for the eye: which words of a text are gone and which are new, in reading order. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final, Literal

TOKEN: Final = re.compile(r"\s+|\w+|[^\w\s]")
MAX_TOKENS: Final = 4_000  # the comparison is quadratic; longer texts are compared line by line


@dataclass(frozen=True, slots=True)
class Run:
    """Some words in a row that share a fate."""

    kind: Literal["same", "gone", "new"]
    text: str


def word_differences(before: str, after: str) -> list[Run] | None:
    """The runs of both texts; None where they are too long to be compared word by word."""
    old, new = TOKEN.findall(before), TOKEN.findall(after)
    if len(old) > MAX_TOKENS or len(new) > MAX_TOKENS:
        return None
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return [run for opcode in matcher.get_opcodes() for run in _runs(old, new, *opcode)]


def _runs(old: list[str], new: list[str], tag: str, a: int, b: int, c: int, d: int) -> Iterator[Run]:
    if tag == "equal":
        yield Run("same", "".join(old[a:b]))
        return
    if a < b:
        yield Run("gone", "".join(old[a:b]))
    if c < d:
        yield Run("new", "".join(new[c:d]))
