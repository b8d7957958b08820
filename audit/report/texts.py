"""Text from receipts and openings, made fit for paper: bounded, and without characters that mislead or have no shape.

What was written by others is never trusted: control characters, marks that turn the direction of reading, invisible
ones, and letters of which the report has no shapes are printed by number, as [U+202E]. The embedded JSON has them.
"""

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import Any

LONG = 400
QUOTED = 4_000
MOST_MARKS = 2
MISLEADING = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
MARKS = frozenset({"Mn", "Me"})
# What Inter and JetBrains Mono draw as they are vendored (Latin, Greek, signs), and beside them DejaVu Sans.
DRAWN = (
    (0x20, 0x2AF),
    (0x2B9, 0x36F),
    (0x370, 0x3FF),
    (0x400, 0x52F),
    (0x531, 0x58A),
    (0x5D0, 0x5EA),
    (0x621, 0x652),
    (0x660, 0x6D3),
    (0x1E00, 0x1EFF),
    (0x2010, 0x2027),
    (0x2030, 0x205E),
    (0x20A0, 0x20B5),
    (0x2116, 0x2122),
    (0x2190, 0x21FF),
    (0x2200, 0x22FF),
)
_DECIMAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,20})?")


def printed(value: object, limit: int = LONG) -> str:
    """The text as it may stand on the page; of what is cut the length is told."""
    text = value if isinstance(value, str) else "" if value is None else str(value)
    pieces, marks = [], 0
    for character in text[:limit]:
        marks = marks + 1 if unicodedata.category(character) in MARKS else 0
        pieces.append(_shown(character) if marks <= MOST_MARKS else _number(character))
    left = len(text) - limit
    cut = f" … ({left:,} more characters in the embedded JSON)" if left > 0 else ""
    return "".join(pieces) + cut


def quoted(value: object) -> str:
    """Somebody's own words, in full as far as any form lets them be."""
    return printed(value, QUOTED)


def line(value: object, limit: int = LONG) -> str:
    """The text on one line."""
    return " ".join(printed(value, limit).split())


def _shown(character: str) -> str:
    if character == "\n":
        return character
    if character in "\t\r":
        return " "
    if unicodedata.category(character) in MISLEADING or not _is_drawn(ord(character)):
        return _number(character)
    return character


def _is_drawn(point: int) -> bool:
    return any(first <= point <= last for first, last in DRAWN)


def _number(character: str) -> str:
    return f"[U+{ord(character):04X}]"


def number_of(value: Any) -> float | None:
    """A decimal string of a receipt as a number; None for anything else."""
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return float(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= 10**15:
        return float(value)
    return None


def places(value: Any, digits: int = 2, *, signed: bool = False) -> str:
    """A decimal with so many places, a true minus, and a dash where there is no number."""
    if number_of(value) is None:
        return "–"
    try:
        shown = f"{Decimal(str(value)):{'+' if signed else ''}.{digits}f}"
    except InvalidOperation:
        return "–"
    return shown.replace("-", "−")


def moment(text: Any) -> str:
    """A receipt's time to the second."""
    if not isinstance(text, str) or len(text) < len("2026-01-01T00:00:00"):
        return "unknown"
    return line(f"{text[:10]} {text[11:19]} UTC", LONG)


def counted(number: int, noun: str) -> str:
    """1 receipt, 1,200 receipts."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def listed(words: list[str]) -> str:
    """A, B and C."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""
