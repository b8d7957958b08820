"""Choosing which of many answers are graded, spread over what the judge says of them. Pure.

Answers are sorted by score and cut into as many strata of equal size as answers are wanted; one of each stratum is
taken by chance. So the few that are graded span the judge's range, and a correlation with it can show.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from gates.panels.assigning import shuffled


@dataclass(frozen=True, slots=True)
class Choice:
    """An answer that could be graded. `score` is the judge's, None where it gave none: then chance alone decides."""

    key: str
    score: float | None = None


def chosen(candidates: Sequence[Choice], count: int, seed: int) -> list[str]:
    """The keys of `count` candidates, one from each quantile stratum; all where there are not more."""
    scores: Mapping[str, float | None] = {each.key: each.score for each in candidates}
    mixed = shuffled(scores, seed, "strata")
    ranked = sorted(mixed, key=lambda key: _rank(scores[key]))
    if len(ranked) <= count:
        return ranked
    ends = [place * len(ranked) // count for place in range(count + 1)]
    strata = [ranked[low:high] for low, high in pairwise(ends)]
    return [shuffled(stratum, seed, f"stratum {number}")[0] for number, stratum in enumerate(strata)]


def _rank(score: float | None) -> tuple[bool, float]:
    return score is None, score or 0.0
