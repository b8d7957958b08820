"""The words and numbers of a gate run's document, the same on its page, its scorecard and its chart. Pure.

A number that stands beside a limit is written so that the reader who compares them reaches the verdict (rule R1).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from gates.statistics.limits import (
    MOST_DECIMALS,
    meets,
    shown,
    shown_beside,
    shown_limit,
)

Part = Mapping[str, Any]

QUESTIONS: Final = ("agreement", "quality", "change")
VERDICT_WORDS: Final = {"gate_pass": "Gate passed", "gate_hold": "Gate held", "gate_fail": "Gate failed"}
OUTCOME_WORDS: Final = {
    "fail": "Fail",
    "insufficient": "Insufficient",
    "review": "Review",
    "pass": "Pass",
    "not_measured": "Not measured",
}
WORST_FIRST: Final = tuple(OUTCOME_WORDS)
METRICS: Final = {
    "tokens": "Tokens per answer",
    "latency_p95": "p95 latency in ms",
    "latency_p95_ratio": "p95 latency in ms, against before",
    "feature_snapshot": "Feature snapshot",
    "parity": "Parity with serving",
}
SOURCES: Final = {"own": "own grades", "calibration": "calibration", "none": "no grades"}
SMALL_NUMBERS: Final = (
    *("no", "one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve"),
)
NONE: Final = "–"


def number_word(number: int) -> str:
    """`six`, `1,000`."""
    return SMALL_NUMBERS[number] if 0 <= number < len(SMALL_NUMBERS) else f"{number:,}"


def counted(number: int, noun: str) -> str:
    """`six slices`, `1,000 cases`."""
    return f"{number_word(number)} {noun}{'' if number == 1 else 's'}"


def capital(text: str) -> str:
    """With a capital letter first."""
    return text[:1].upper() + text[1:]


def spoken(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def metric_title(metric: str) -> str:
    """What people call a limit or a named floor."""
    return METRICS.get(metric, metric)


def beside(value: float | None, limit: float | None) -> str:
    """A number on its side of its limit; a dash where there is none."""
    if value is None:
        return NONE
    return shown(value) if limit is None else shown_beside(value, limit)


def limit_text(limit: float | None) -> str:
    """A limit; a dash where there is none."""
    return NONE if limit is None else shown_limit(limit)


def limit_beside(limit: float | None, value: float | None) -> str:
    """A limit in as few decimals as still tell it from the number beside it: a computed one can have many."""
    return NONE if limit is None else shown_limit(limit, value)


def interval(ends: Sequence[float | None] | None, limit: float | None) -> str:
    """`0.24 to 0.56`; a dash where there is no interval."""
    if ends is None or None in ends:
        return NONE
    return " to ".join(beside(end, limit) for end in ends)


def points(value: float, limit: float | None = None) -> str:
    """Points of 100: whole where they are, else with as many decimals as keep them on their side of `limit`."""
    for decimals in range(MOST_DECIMALS):
        rounded = round(value, decimals)
        near = abs(rounded - value) <= 0.05
        if near and (limit is None or meets(limit, rounded) == meets(limit, value)):
            return shown(value, decimals)
    return shown(value, MOST_DECIMALS)


def measured(value: object, metric: str = "") -> str:
    """A number, text or digest of a condition; ratios with two decimals, tokens and milliseconds as they are."""
    if value is None:
        return NONE
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,.1f}".removesuffix(".0") if metric in METRICS else shown(value)


def outcome_of(parts: Sequence[Part]) -> dict[str, int]:
    """How many of these slices have each verdict, worst first, without those that none has."""
    counts = {outcome: sum(part["verdict"] == outcome for part in parts) for outcome in WORST_FIRST}
    return {outcome: count for outcome, count in counts.items() if count}
