"""Canonical JSON with gaps: written once by the product's own code, then filled many times.

A mark stands in the value for what differs from one document to the next; after canonicalisation the text is cut at the
marks. What fills a gap must be as plain as its mark (hex, an id, a time, a number), so that the bytes stay canonical.
"""

import re
from collections.abc import Mapping
from typing import Any

from relcontrol.bundle.canonical import canonical_bytes


class Form:
    """A text with named gaps."""

    def __init__(self, value: Any, marks: Mapping[str, str]) -> None:
        """`marks`: the text that stands for each gap, by the gap's name."""
        names = {mark: name for name, mark in marks.items()}
        pattern = "|".join(re.escape(mark) for mark in sorted(names, key=len, reverse=True))
        self._parts = re.split(f"({pattern})", canonical_bytes(value).decode())
        self._gaps = [(index, names[self._parts[index]]) for index in range(1, len(self._parts), 2)]

    def filled(self, values: Mapping[str, str]) -> str:
        """The text with each gap filled; a value too many is left out."""
        parts = self._parts.copy()
        for index, name in self._gaps:
            parts[index] = values[name]
        return "".join(parts)
