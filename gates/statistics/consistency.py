"""How far a judge agrees with itself: the draws behind one score, and the same answer scored again (rules R9, R10)."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from gates.statistics.arrays import Floats, Scores, as_floats, exact_mean, exact_sum, known
from gates.statistics.ranks import ALONE
from gates.statistics.spearman import correlate


def pooled_deviation(groups: Iterable[Sequence[float] | Floats]) -> float | None:
    """Return √(Σ squares within groups / Σ(kᵢ − 1)); None where no group has two finite values.

    With the scores of one answer as a group this is the judge's re-score deviation s of rule R9, in their unit.
    """
    rows = [row[~np.isnan(row)] for row in map(as_floats, groups)]
    rows = [row for row in rows if len(row) > 1]
    if not rows:
        return None
    squares = exact_sum([exact_sum((row - exact_mean(row)) ** 2) for row in rows])
    return math.sqrt(squares / sum(len(row) - 1 for row in rows))


@dataclass(frozen=True, slots=True)
class SelfConsistency:
    """How single draws differ: ``answers`` have two or more, of at most ``draws``.

    ``deviation`` is the standard deviation of a draw within its answer; ``equal`` the share of pairs of draws of one
    answer that are the same, each answer weighing once; ``rho`` the mean Spearman ρ of pairs of draws over the
    answers, None where one of them is constant.
    """

    answers: int
    draws: int
    deviation: float
    equal: float
    rho: float | None


def self_consistency(draws: Iterable[Scores]) -> SelfConsistency | None:
    """Describe the draws of each answer, in the order in which they were drawn; None for single draws."""
    rows = list(map(as_floats, draws))
    drawn = [row[~np.isnan(row)] for row in rows]
    drawn = [row for row in drawn if len(row) > 1]
    deviation = pooled_deviation(drawn)
    if deviation is None:
        return None
    equal = exact_mean([_equal_pairs(row) for row in drawn])
    return SelfConsistency(len(drawn), max(map(len, drawn)), deviation, equal, _mean_rho(_table(rows)))


def _equal_pairs(row: Floats) -> float:
    _, counts = np.unique(row, return_counts=True)
    return float((counts * (counts - 1)).sum() / (len(row) * (len(row) - 1)))


def _table(rows: Sequence[Floats]) -> Floats:
    table = np.full((len(rows), max(map(len, rows))), np.nan)
    for row, target in zip(rows, table, strict=True):
        target[: len(row)] = row
    return table


def _mean_rho(table: Floats) -> float | None:
    rhos = [_rho(table[:, one], table[:, other]) for one, other in combinations(range(table.shape[1]), 2)]
    found = [rho for rho in rhos if not math.isnan(rho)]
    return known(exact_mean(found)) if found else None


def _rho(one: Floats, other: Floats) -> float:
    both = ~np.isnan(one) & ~np.isnan(other)
    return float(correlate(one[both], other[both], ALONE).rho[0]) if both.any() else math.nan
