"""The slices of a run as a table: the same rows as the chart, every number on its side of its limit. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from gates.pages.runs.why import STATUS
from gates.scorecards.words import (
    NONE,
    OUTCOME_WORDS,
    SOURCES,
    Part,
    beside,
    interval,
    limit_beside,
    limit_text,
)
from gates.statistics.limits import shown, shown_change


@dataclass(frozen=True, slots=True)
class Cells:
    """One question of a slice: its number with interval and limit, its verdict, and what else there is to say."""

    kind: str
    word: str
    value: str
    interval: str
    limit: str
    cases: str
    about: str


@dataclass(frozen=True, slots=True)
class SliceRow:
    """One slice. `cells` are agreement, quality and change; none where the run has no results for it.

    `calibration` is the id of the judge's measurement that agreement rests on, empty where it rests on no such.
    """

    slug: str
    name: str
    verdict: str
    kind: str
    word: str
    evidence: str
    previous: str
    ceiling: str
    cells: Sequence[Cells]
    reasons: Sequence[str]
    flagged: int
    calibration: str


def slice_rows(parts: Sequence[Part]) -> list[SliceRow]:
    """Rows in the order of the document: worst first."""
    return [_row(part) for part in parts]


def _row(part: Part) -> SliceRow:
    agreement = part["agreement"]
    return SliceRow(
        slug=part["slice"],
        name=part["name"],
        verdict=part["verdict"],
        kind=STATUS[part["verdict"]],
        word=OUTCOME_WORDS[part["verdict"]],
        evidence=part["evidence"],
        previous=beside(agreement["previous_rho"], agreement["threshold"]) if agreement else NONE,
        ceiling=beside(agreement["ceiling"], None) if agreement else NONE,
        cells=[_agreement(agreement), _quality(part["quality"]), _change(part["change"])] if agreement else [],
        reasons=part["reasons"],
        flagged=part["change"]["flagged"] if agreement else 0,
        calibration=(agreement or {}).get("calibration") or "",  # runs of before there were measurements have no key
    )


def _agreement(answer: Part) -> Cells:
    age = f", {answer['age_days']:,.0f} d old" if answer["age_days"] is not None else ""
    return Cells(
        kind=STATUS[answer["verdict"]],
        word=OUTCOME_WORDS[answer["verdict"]],
        value=beside(answer["rho"], answer["threshold"]),
        interval=interval(answer["ci90"], answer["threshold"]),
        limit=limit_text(answer["threshold"]),
        cases=f"{answer['n']:,}",
        about=f"{SOURCES[answer['source']]}{age}",
    )


def _quality(answer: Part) -> Cells:
    return Cells(
        kind=STATUS[answer["verdict"]],
        word=OUTCOME_WORDS[answer["verdict"]],
        value=beside(answer["mean"], answer["floor"]),
        interval=interval(answer["ci90"], answer["floor"]),
        limit=limit_beside(answer["floor"], answer["mean"]),
        cases=f"{answer['n']:,}",
        about="" if answer["calibrated"] else "uncalibrated",
    )


def _change(answer: Part) -> Cells:
    ends, difference = answer["ci90"], answer["mean_difference"]
    return Cells(
        kind=STATUS[answer["verdict"]],
        word=OUTCOME_WORDS[answer["verdict"]],
        value=NONE if difference is None else shown_change(difference),
        interval=NONE if ends is None or None in ends else " to ".join(shown(end) for end in ends),
        limit="",
        cases=f"{answer['n']:,}",
        about="",
    )
