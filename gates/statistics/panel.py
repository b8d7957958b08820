"""A panel's grade of each answer (rule R10).

Ratings are a raters × answers array, NaN where a rater has not rated. Ranks are taken within each rater, so that a
strict and a lenient rater, or one who uses half the scale, weigh alike.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gates.statistics.arrays import Floats, exact_mean
from gates.statistics.ranks import mid_ranks

Ratings = npt.NDArray[np.float64]
EXACT = 2**53  # up to here whole numbers are floats without loss, and their quotients correctly rounded


def as_ratings(rows: Sequence[Sequence[float | None]] | Ratings) -> Ratings:
    """Return ratings as a raters × answers float array; None and infinities become NaN."""
    array = np.array(rows, dtype=np.float64)
    if array.ndim != 2:
        raise ValueError("ratings are not a table: give one row per rater and one column per answer")
    return np.where(np.isfinite(array), array, np.nan)


def relative_ranks(ratings: Ratings) -> Ratings:
    """Return (mid-rank − ½)/nᵢ of each rating within its rater's nᵢ ratings, on (0, 1).

    The half keeps the mean of every rater at ½: with rank/nᵢ alone, whoever rated few answers would lift them.
    """
    ranked = np.full(ratings.shape, np.nan)
    for row, target in zip(ratings, ranked, strict=True):
        rated = ~np.isnan(row)
        target[rated] = (mid_ranks(row[rated]) - 0.5) / max(int(rated.sum()), 1)
    return ranked


def rank_grades(ratings: Ratings) -> Floats:
    """Return per answer the mean of its raters' relative ranks, for agreement; NaN where nobody rated it.

    Computed in whole numbers over the common denominator 2·lcm(nᵢ): sums of rounded fractions would break ties between
    answers whose raters ranked them equally, and ties change ρ.
    """
    rated = ~np.isnan(ratings)
    counts = [max(int(row.sum()), 1) for row in rated]
    common = math.lcm(*counts)
    sums = np.zeros(ratings.shape[1], dtype=np.int64 if 2 * common * len(counts) < EXACT else object)
    for row, has, count in zip(ratings, rated, counts, strict=True):
        doubled = (2 * mid_ranks(row[has])).astype(np.int64) - 1
        sums[has] += doubled.astype(sums.dtype) * (common // count)
    raters = rated.sum(axis=0).astype(sums.dtype)
    grades = np.full(ratings.shape[1], np.nan)
    present = raters > 0
    grades[present] = (sums[present] / (2 * common * raters[present])).astype(np.float64)
    return grades


def mean_grades(ratings: Ratings) -> Floats:
    """Return per answer the mean rating, for levels; NaN where nobody rated it."""
    columns = ratings.T.tolist()  # plain numbers: a mask for each answer would cost more than its mean
    means = [exact_mean([grade for grade in column if not math.isnan(grade)]) for column in columns]
    return np.array(means, dtype=np.float64)
