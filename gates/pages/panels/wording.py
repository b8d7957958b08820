"""What the pages of panels say: how much work a panel is, what was just graded, how well experts agree. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gates.statistics.calibration import LOWEST_ALPHA
from gates.statistics.limits import meets, shown

MINUTES_AN_ANSWER: Final = 1
MINUTES_AN_HOUR: Final = 60
FIRM_ALPHA: Final = 0.8


@dataclass(frozen=True, slots=True)
class Level:
    """One grade of a scale of levels; `word` stands at its ends."""

    value: int
    key: str
    word: str


def levels_of(scale: Sequence[float]) -> list[Level]:
    """The grades that have a button of their own; none where a number is typed."""
    low, high = (int(end) for end in scale)
    if high - low >= len("1234567890"):
        return []
    words = {low: "worst", high: "best"}
    return [Level(value, str(value), words.get(value, "")) for value in range(low, high + 1)]


def scale_words(scale: Sequence[float]) -> str:
    """`1 to 5`."""
    return " to ".join(f"{end:g}" for end in scale)


def grade_words(grade: float) -> str:
    """A grade as it was given."""
    return f"{grade:g}"


def left_words(left: int) -> str:
    """How much is still to be graded."""
    return "That was the last one." if left == 0 else f"{left:,} left."


def amount(number: int, noun: str) -> str:
    """`1 answer`, `1,204 answers`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def workload(answers: int, raters: int, each: int) -> str:
    """What a panel asks of its raters, as a sentence."""
    if not answers:
        return "Nothing to grade yet: choose where the answers come from."
    if not raters:
        return f"{amount(answers, 'answer')}, and nobody yet to grade them: choose raters."
    start = f"{amount(raters, 'rater')}, {amount(answers, 'answer')}, {amount(each, 'grade')} each"
    if each > raters:
        return f"{start}: an answer cannot get more grades than there are raters."
    share = -(-answers * each // raters)
    return f"{start}: {amount(share, 'answer')} a person, {time_words(share * MINUTES_AN_ANSWER)}."


def time_words(minutes: int) -> str:
    """About how long it takes."""
    if minutes <= MINUTES_AN_HOUR:
        return f"about {amount(minutes, 'minute')}"
    return f"about {shown(minutes / MINUTES_AN_HOUR, 1)} hours"


def agreement_words(alpha: float | None) -> str:
    """How far experts agree, with the number that says so (statistics.md R10)."""
    if alpha is None:
        return "How far your experts agree cannot be said: too few answers have grades of two of them."
    number = f"α {shown(alpha)}"
    if meets(alpha, FIRM_ALPHA):
        return f"Your experts agree well: {number}."
    if meets(alpha, LOWEST_ALPHA):
        return f"Your experts agree well enough to calibrate a judge: {number}."
    return f"Your experts agree too little to calibrate a judge here: {number}, and it takes {shown(LOWEST_ALPHA, 3)}."
