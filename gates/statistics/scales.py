"""From a judge's score to the human scale on [0, 1], and from several draws to one score (rule R10).

The isotonic map is the least-squares non-decreasing fit of the human grade on the score (pool adjacent violators;
Barlow et al. 1972), read between its steps by straight lines. Without calibration a score is only stretched from the
judge's own scale.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from gates.statistics.arrays import Floats, Ints, Scores, as_floats, exact_mean, exact_sum
from gates.statistics.limits import meets

FOLDS = 5


@dataclass(frozen=True, slots=True)
class LinearMap:
    """A judge's own scale stretched to [0, 1]; its scores count as uncalibrated."""

    lowest: float = 0.0
    highest: float = 1.0

    def __post_init__(self) -> None:
        if not self.lowest < self.highest:
            raise ValueError(f"scale [{self.lowest}, {self.highest}] is empty: give its lowest value first")

    def predict(self, scores: Scores) -> Floats:
        """Return scores on [0, 1], NaN where missing; refuses a score outside the scale."""
        values = as_floats(scores)
        present = values[~np.isnan(values)]
        if len(present) and not (meets(present.min(), self.lowest) and meets(self.highest, present.max())):
            raise ValueError(f"a score lies outside the judge's scale [{self.lowest}, {self.highest}]: correct either")
        stretched: Floats = np.clip((values - self.lowest) / (self.highest - self.lowest), 0.0, 1.0)
        return stretched


@dataclass(frozen=True, slots=True)
class IsotonicMap:
    """A non-decreasing map through ``(scores[i], levels[i])``, straight between them, level outside them."""

    scores: tuple[float, ...]
    levels: tuple[float, ...]

    def predict(self, scores: Scores) -> Floats:
        """Return levels on the scale of the human grades it was fitted on, NaN where a score is missing."""
        values = as_floats(scores)
        predicted: Floats = np.interp(values, self.scores, self.levels)
        return np.where(np.isnan(values), np.nan, predicted)


def fit_isotonic(scores: Scores, grades: Scores) -> IsotonicMap:
    """Fit the map on answers with both; equal scores share their mean grade."""
    from scipy.optimize import isotonic_regression  # noqa: PLC0415 - takes long to import, and few processes fit

    judge, human = _paired(scores, grades)
    if not len(judge):
        raise ValueError("no answer has a score and a grade: grade some answers first")
    values, groups, weights = np.unique(judge, return_inverse=True, return_counts=True)
    means = np.array([exact_mean(part) for part in _parts(human, groups, weights)])
    fitted = isotonic_regression(means, weights=weights.astype(np.float64)).x
    kept = _corners(fitted)
    return IsotonicMap(tuple(values[kept].tolist()), tuple(fitted[kept].tolist()))


def _paired(scores: Scores, grades: Scores) -> tuple[Floats, Floats]:
    judge, human = as_floats(scores), as_floats(grades)
    if len(judge) != len(human):
        raise ValueError("scores and grades differ in number: give one of each per answer")
    both = ~np.isnan(judge) & ~np.isnan(human)
    return judge[both], human[both]


def _parts(human: Floats, groups: Ints, weights: Ints) -> list[Floats]:
    return np.split(human[np.argsort(groups, kind="stable")], np.cumsum(weights)[:-1])


def _corners(fitted: Floats) -> Ints:
    """Keep the first and last point of every flat step: the points between them change nothing."""
    differs = fitted[1:] != fitted[:-1]
    return np.flatnonzero(np.r_[True, differs] | np.r_[differs, True])


@dataclass(frozen=True, slots=True)
class HeldOutError:
    """Root mean square error on answers that were not fitted: of the map, and of always saying the mean grade."""

    map: float
    constant: float


def held_out_error(scores: Scores, grades: Scores) -> HeldOutError | None:
    """Compare the map with the constant baseline by five folds along the sorted answers; None below ten answers."""
    judge, human = _paired(scores, grades)
    if len(judge) < 2 * FOLDS:
        return None
    order = np.lexsort((human, judge))
    judge, human, fold = judge[order], human[order], np.arange(len(judge)) % FOLDS
    mapped, constant = np.empty(len(judge)), np.empty(len(judge))
    for number in range(FOLDS):
        out = fold == number
        mapped[out] = fit_isotonic(judge[~out], human[~out]).predict(judge[out])
        constant[out] = exact_mean(human[~out])
    return HeldOutError(_root_mean_square(mapped - human), _root_mean_square(constant - human))


def _root_mean_square(errors: Floats) -> float:
    return float(np.sqrt(exact_sum(errors * errors) / len(errors)))


class Aggregation(StrEnum):
    """How several draws of a judge become one score."""

    MEAN = "mean"
    MEDIAN = "median"
    LOWEST = "lowest"


def aggregate_draws(draws: Iterable[Scores], aggregation: Aggregation) -> Floats:
    """Return one score per answer from each answer's draws; unparsed draws are left out, none left is NaN."""
    rows = [row[~np.isnan(row)] for row in map(as_floats, draws)]
    return np.array([_aggregated(row, aggregation) if len(row) else np.nan for row in rows], dtype=np.float64)


def _aggregated(row: Floats, aggregation: Aggregation) -> float:
    match aggregation:
        case Aggregation.MEAN:
            return exact_mean(row)
        case Aggregation.MEDIAN:
            return float(np.median(row))
        case Aggregation.LOWEST:
            return float(row.min())
