"""How far the raters of a panel agree with each other (rule R10).

Krippendorff's α (ordinal; Content Analysis, 4th ed., ch. 12), intraclass correlations of the two-way layout (McGraw
and Wong, Psychological Methods 1, 1996), the human ceiling, and each rater against the others.
"""

import math
from dataclasses import dataclass

import numpy as np

from gates.statistics.arrays import Floats, exact_mean, exact_sum, known
from gates.statistics.panel import Ratings, mean_grades, relative_ranks
from gates.statistics.ranks import ALONE, mid_ranks
from gates.statistics.spearman import correlate

FEWEST_RATERS_LEFT_OUT = 3


def krippendorff_alpha(ratings: Ratings) -> float | None:
    """Return ordinal α over the answers with two or more ratings; None where no two different ratings exist.

    The ordinal distance of two values is the difference of their mid-ranks among all pairable ratings, so α is one
    minus the ratio of the rank variance within answers to that over all, without a table of value pairs.
    """
    rated = ~np.isnan(ratings)
    pairable = rated & (rated.sum(axis=0) > 1)
    answers = np.broadcast_to(np.arange(ratings.shape[1]), ratings.shape)[pairable]
    values = ratings[pairable]
    ranks = mid_ranks(values)
    if not len(values) or values.min() == values.max():
        return None
    counts = np.bincount(answers)
    means = np.bincount(answers, ranks) / np.maximum(counts, 1)
    weights = counts / np.maximum(counts - 1, 1)
    observed = exact_sum(weights[answers] * (ranks - means[answers]) ** 2)
    expected = exact_sum((ranks - ranks.mean()) ** 2) * len(values) / (len(values) - 1)
    return 1 - observed / expected


@dataclass(frozen=True, slots=True)
class IntraclassCorrelations:
    """ICC of single ratings and of the panel's mean, for absolute agreement (a) and consistency (c)."""

    a_single: float
    a_panel: float
    c_single: float
    c_panel: float


def intraclass_correlations(ratings: Ratings) -> IntraclassCorrelations | None:
    """Return the ICCs over the answers that every rater rated; None for fewer than two of either or no variation."""
    complete = ratings[:, ~np.isnan(ratings).any(axis=0)]
    raters, answers = complete.shape
    if raters < 2 or answers < 2 or complete.min() == complete.max():
        return None
    rows, columns, error = _mean_squares(complete)
    spread = (columns - error) / answers
    denominators = (rows + (raters - 1) * error + raters * spread, rows + spread, rows + (raters - 1) * error, rows)
    if min(denominators) <= 0:
        return None
    a_single, a_panel, c_single, c_panel = ((rows - error) / denominator for denominator in denominators)
    return IntraclassCorrelations(a_single, a_panel, c_single, c_panel)


def _mean_squares(complete: Ratings) -> tuple[float, float, float]:
    """Return the mean squares between answers, between raters and of the rest of the two-way layout."""
    raters, answers = complete.shape
    grand = exact_mean(complete.ravel())
    by_answer, by_rater = mean_grades(complete), mean_grades(complete.T)
    residual = complete - by_answer - by_rater[:, None] + grand
    between_answers = raters * exact_sum((by_answer - grand) ** 2) / (answers - 1)
    between_raters = answers * exact_sum((by_rater - grand) ** 2) / (raters - 1)
    return between_answers, between_raters, exact_sum(residual.ravel() ** 2) / ((answers - 1) * (raters - 1))


def leave_one_out(ratings: Ratings) -> tuple[float | None, ...]:
    """Return ρ of each rater against the mean grade of the others; empty for fewer than three raters."""
    if len(ratings) < FEWEST_RATERS_LEFT_OUT:
        return ()
    others = [mean_grades(np.delete(ratings, index, axis=0)) for index in range(len(ratings))]
    return tuple(known(_rho(row, rest)) for row, rest in zip(ratings, others, strict=True))


def _rho(one: Floats, other: Floats) -> float:
    both = ~np.isnan(one) & ~np.isnan(other)
    return float(correlate(one[both], other[both], ALONE).rho[0]) if both.any() else math.nan


@dataclass(frozen=True, slots=True)
class Reliability:
    """What a panel's raters have in common, ``icc`` on their ranks; None where a number does not exist."""

    raters: int
    alpha: float | None
    icc: IntraclassCorrelations | None
    leave_one_out: tuple[float | None, ...]

    @property
    def ceiling(self) -> float | None:
        """The human ceiling √ICC(C,k): the highest agreement that a perfect judge could show with this panel."""
        return None if self.icc is None else math.sqrt(max(0.0, self.icc.c_panel))

    def share_of_ceiling(self, rho: float | None) -> float | None:
        """Return ρ as a share of the human ceiling: shown, never compared with a limit."""
        ceiling = self.ceiling
        return rho / ceiling if rho is not None and ceiling else None


def reliability_of(ratings: Ratings) -> Reliability:
    """Describe a panel; raters without a single rating are not counted."""
    rated = ratings[~np.isnan(ratings).all(axis=1)]
    return Reliability(
        raters=len(rated),
        alpha=krippendorff_alpha(rated),
        icc=intraclass_correlations(relative_ranks(rated)),
        leave_one_out=leave_one_out(rated),
    )
