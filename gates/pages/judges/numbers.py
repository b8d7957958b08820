"""Every number of a measurement of one slice, as a list of facts and the map from score to grade (R10). Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from gates.calibrations.comparing import evenly
from gates.scorecards.words import NONE, beside, interval, limit_text
from gates.statistics.limits import shown
from relcontrol.web.words import percent

Document = Mapping[str, Any]
MAP_SHOWN: Final = 24


def numbers_of(document: Document) -> list[tuple[str, str]]:
    """Label and number; those that were not measured are left out."""
    return [(label, text) for label, text in _lines(document) if text != NONE]


def map_of(document: Document) -> list[tuple[str, str]]:
    """The isotonic map: what a score of this judge is worth here, as a grade; evenly spaced where it is long."""
    found = document.get("map")
    if not found:
        return []
    pairs = list(zip(found["scores"], found["levels"], strict=True))
    kept = [pairs[place] for place in evenly(range(len(pairs)), MAP_SHOWN)]
    return [(shown(score), shown(level)) for score, level in kept]


def _lines(document: Document) -> Iterator[tuple[str, str]]:
    threshold = document["threshold"]
    yield "Agreement ρ", beside(document["rho"], threshold)
    yield "90 % interval", interval(document["ci90"], threshold)
    yield "Threshold", limit_text(threshold)
    yield "Answers with grade and score", f"{document['n']:,} of {document['graded']:,}"
    yield "Coverage", _share(document["coverage"])
    yield "Experts", f"{document['raters']:,}"
    yield "Krippendorff’s α", beside(document["alpha"], None)
    yield "ICC(C,k) of ranks", beside(document["icc"], None)
    yield "Human ceiling", beside(document["ceiling"], None)
    yield "Of the ceiling", _share(document["share_of_ceiling"])
    yield "Each expert against the others", _each(document["leave_one_out"])
    yield from _levels(document)


def _levels(document: Document) -> Iterator[tuple[str, str]]:
    baseline, draws = document.get("baseline"), document.get("self_consistency")
    if baseline:
        yield "Off by, read from its score", shown(baseline["map"])
        yield "Off by, always saying the mean", shown(baseline["constant"])
    if draws:
        yield "Draws of one answer, sd", f"{shown(draws['sd'], 1)} points of 100"
        yield "Pairs of draws that are equal", _share(draws["equal"])
    if document.get("rescore_sd") is not None:
        yield "Scored again, sd", f"{shown(document['rescore_sd'], 1)} points of 100"


def _share(value: float | None) -> str:
    return NONE if value is None else percent(value)


def _each(rows: Sequence[Mapping[str, Any]]) -> str:
    found = [f"{row['rater']}: {beside(row['rho'], None)}" for row in rows]
    return ", ".join(found) or NONE
