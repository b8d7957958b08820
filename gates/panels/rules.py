"""What a panel may be: its scale, how many answers and raters, what a grade and a reason are. Pure.

People grade in whole steps: a number between two buttons is a slip of the keyboard.
"""

import math
from typing import Final

from gates.suite_files.cases import Scale
from relcontrol.bundle.reading import Reader
from relcontrol.errors import invalid

SCALES: Final[tuple[Scale, ...]] = ((1.0, 5.0), (0.0, 100.0))
DEFAULT_COUNT: Final = 30
MOST_ANSWERS: Final = 2_000
MOST_RATERS: Final = 50
MOST_PER_ANSWER: Final = 10
MAX_NAME: Final = 200
MAX_RUBRIC: Final = 20_000
MAX_REASON: Final = 1_000
HIGHEST_SEED: Final = 2**63 - 1


def checked_name(text: str) -> str:
    """A name that people know the panel by."""
    name = _text(text, "name", MAX_NAME, "Say what is graded, such as: Legal answers, November.")
    if not name.isprintable():
        raise invalid("name", "Use printable characters on one line.")
    return name


def checked_rubric(text: str) -> str:
    """What raters go by."""
    return _text(text, "rubric", MAX_RUBRIC, "Say what a good answer is, and what the lowest and highest grade mean.")


def checked_reason(text: str, what: str) -> str:
    """Why somebody skipped an answer, or decided on a disagreement."""
    return _text(text, "reason", MAX_REASON, what)


def checked_scale(value: object) -> Scale:
    """1 to 5, or 0 to 100."""
    for scale in SCALES:
        if isinstance(value, (list, tuple)) and tuple(value) == scale:
            return scale
    raise invalid("scale", "Use the scale 1 to 5 or 0 to 100.")


def checked_number(value: int, field: str, low: int, high: int) -> int:
    """A whole number in a range."""
    if not low <= value <= high:
        raise invalid(field, f"Must be a whole number from {low:,} to {high:,}.")
    return value


def checked_grade(value: float, scale: Scale) -> float:
    """A whole number on the scale."""
    low, high = scale
    if not math.isfinite(value) or value != math.floor(value) or not low <= value <= high:
        raise invalid("grade", f"Give a whole number from {low:g} to {high:g}.")
    return float(value)


def _text(text: str, field: str, at_most: int, missing: str) -> str:
    """The text in NFC without blanks around it, as receipts can carry it."""
    said = text.strip()
    if not said:
        raise invalid(field, missing)
    reader = Reader()
    read = reader.text(said, field, at_most=at_most)
    for problem in reader.problems:
        raise invalid(field, problem.message)
    return read
