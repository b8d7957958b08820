"""Named floors and limits of a run as a table. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from gates.pages.runs.why import STATUS
from gates.scorecards.words import NONE, OUTCOME_WORDS, Part, beside, limit_text, measured, metric_title


@dataclass(frozen=True, slots=True)
class ConditionRow:
    """One floor or limit: what was measured, what is allowed, what the previous release had."""

    title: str
    kind: str
    word: str
    value: str
    limit: str
    previous: str
    reasons: Sequence[str]


def condition_rows(document: Part) -> list[ConditionRow]:
    """Floors first, then limits."""
    return [*(_floor(row) for row in document["floors"]), *(_limit(row) for row in document["limits"])]


def _floor(row: Part) -> ConditionRow:
    value, limit = beside(row["value"], row["floor"]), f"at least {limit_text(row['floor'])}"
    return _made(row, value=value, limit=limit, previous=NONE)


def _limit(row: Part) -> ConditionRow:
    metric, limit = row["metric"], row["limit"]
    known = isinstance(limit, int | float) and not isinstance(limit, bool)
    return _made(
        row,
        value=_short(measured(row["value"], metric)),
        limit=f"at most {measured(limit, metric)}" if known else _short(measured(limit, metric)),
        previous=_short(measured(row["previous"], metric)),
    )


def _made(row: Part, *, value: str, limit: str, previous: str) -> ConditionRow:
    verdict = row["verdict"]
    title, reasons = metric_title(row["metric"]), row["reasons"]
    return ConditionRow(title, STATUS[verdict], OUTCOME_WORDS[verdict], value, limit, previous, reasons)


def _short(text: str) -> str:
    """A digest's first digits are enough to see that two differ."""
    return f"{text[:19]}…" if len(text) > 40 else text
