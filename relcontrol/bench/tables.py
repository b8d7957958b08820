"""What a bench prints: a title, columns that line up, and notes that say how to read them."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text below a head: the first column is a name, the others are figures. `problems` make the run fail."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()
    problems: Sequence[str] = ()

    def text(self) -> str:
        """The table as lines."""
        lines = [self.columns, *self.rows]
        widths = [max(len(line[index]) for line in lines) for index in range(len(self.columns))]
        head, *body = [_line(line, widths) for line in lines]
        rule = "  ".join("-" * width for width in widths)
        return "\n".join(["", self.title, "", head, rule, *body, *self.notes])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    name, *numbers = cells
    shown = [name.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(numbers, widths[1:], strict=True))]
    return "  ".join(shown).rstrip()
