"""A canonical JSON document read piece by piece: its members in their order, and the entries of each. Pure.

The ZIP's loose files are cut out of the export's stored JSON, never asked of the database again: an opening that is
erased between two steps is then in both files or in neither. One entry is held at a time.
"""

import codecs
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

_decoder = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of the document, with its text and the place of its bytes."""

    value: Any
    text: str
    start: int
    end: int


class Stored:
    """One pass over the document. Raises `ValueError` where the pieces are no canonical JSON object."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._text, self._at = "", 0
        self.place = 0  # in bytes: where the reading stands

    def members(self) -> Iterator[tuple[str, Iterator[Entry]]]:
        """Each member's name with its entries: of an array its items, else the one value. Read them in order.

        `place` is where the member begins when its name is given, and where it ends after its last entry.
        """
        self._expect("{")
        separator = ","
        while separator == ",":
            name = self._value().value
            self._expect(":")
            entries = self._entries()
            yield name, entries
            for _ in entries:  # whoever is not interested in a member need not read it
                pass
            separator = self._taken(",}")

    def _entries(self) -> Iterator[Entry]:
        if self._next() != "[":
            yield self._value()
            return
        self._expect("[")
        if self._next() == "]":
            self._expect("]")
            return
        separator = ","
        while separator == ",":
            yield self._value()
            separator = self._taken(",]")

    def _value(self) -> Entry:
        while True:
            try:
                value, end = _decoder.raw_decode(self._text, self._at)
            except ValueError:
                if not self._read():
                    raise
                continue
            text, start = self._text[self._at : end], self.place
            self._at, self.place = end, start + len(text.encode("utf-8"))
            return Entry(value, text, start, self.place)

    def _expect(self, character: str) -> None:
        self._taken(character)

    def _taken(self, expected: str) -> str:
        character = self._next()
        if not character or character not in expected:
            raise ValueError(f"{character!r} stands where {expected} is expected")
        self._at, self.place = self._at + 1, self.place + 1
        return character

    def _next(self) -> str:
        while self._at >= len(self._text):
            if not self._read():
                return ""
        return self._text[self._at]

    def _read(self) -> bool:
        piece = next(self._pieces, None)
        if piece is None:
            return False
        self._text, self._at = self._text[self._at :] + self._utf8.decode(piece), 0
        return True
