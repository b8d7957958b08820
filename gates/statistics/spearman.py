"""Spearman's ρ of many slices with its influence function and Fisher interval (rules R1, R2).

ρ is Pearson's correlation of mid-ranks. The standard error on the Fisher scale is the larger of Bonett and Wright's
(Psychometrika 65, 2000) and the one from the influence function of ρ as a functional of the joint distribution, with
ties. The formula of the design is used in centred ranks f = F − ½, g = G − ½, where it reads

    ia = fg + U(x, g) + U(y, f) − 3A,  ib = f² + 2U(x, f) − 3B,  ic = g² + 2U(y, g) − 3C,
    A = mean(fg), B = mean(f²), C = mean(g²),  IF = ia/√(BC) − (ρ/2)(ib/B + ic/C);

the constants 3A, 3B, 3C cancel in IF, and so does the factor 4n² of integer ranks.
"""

from dataclasses import dataclass

import numpy as np

from gates.statistics.arrays import Floats, Ints, cluster_sums, exact_sum
from gates.statistics.distributions import normal_cdf, two_sided_quantile
from gates.statistics.ranks import Ranking, rank_slices

CLIP = 0.9999
FEWEST_FOR_INTERVAL = 4  # both standard errors divide by n − 3


@dataclass(frozen=True, slots=True, eq=False)
class Correlations:
    """ρ per slice (NaN where a side is constant), the influence value per case, and counts per slice."""

    starts: Ints
    counts: Ints
    rho: Floats
    influence: Floats
    human_off_mode: Ints
    judge_off_mode: Ints


def correlate(human: Floats, judge: Floats, starts: Ints) -> Correlations:
    """Correlate finite ``human`` grades with finite ``judge`` scores, slice by slice (see ``ranks`` for the layout)."""
    counts = np.diff(np.r_[starts, len(human)])
    x, y = rank_slices(human, starts), rank_slices(judge, starts)
    products = ((x.centred, y.centred), (x.centred, x.centred), (y.centred, y.centred))
    a, b, c = (np.add.reduceat(left * right, starts) / counts for left, right in products)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = 1 / np.sqrt(b * c)
        rho = np.clip(a / np.sqrt(b * c), -1.0, 1.0)
        influence: Floats = np.repeat(scale, counts) * (x.centred * y.centred)
        influence += x.by_case(_one_side(x, y.centred, scale, rho / b))
        influence += y.by_case(_one_side(y, x.centred, scale, rho / c))
    return Correlations(starts, counts, rho, influence, x.off_mode(counts), y.off_mode(counts))


def _one_side(side: Ranking, other: Ints, scale: Floats, pull: Floats) -> Floats:
    """Return the part of the influence that a run of one side fixes: U(x, g)/√(BC) − (ρ/2)(f² + 2U(x, f))/B."""
    own = side.run_ranks**2 + 2 * side.own_weight_above()
    return side.by_run(scale) * side.weight_above(other) - side.by_run(pull / 2) * own


def bonett_wright_error(rho: Floats, counts: Ints) -> Floats:
    """Return √((1 + r²/2)/(n − 3)), the Fisher-scale standard error under bivariate normality; NaN below n = 4."""
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt((1 + np.clip(rho, -CLIP, CLIP) ** 2 / 2) / (counts - 3))
    return np.where(counts >= FEWEST_FOR_INTERVAL, error, np.nan)


def mean_error(influence: Floats, codes: Ints | None = None) -> float:
    """Return the standard error of a mean of influence values: √(Σ vᵢ² / ((n−1)(n−3))).

    With ``codes`` (a cluster number per case) the m cluster sums are the independent units: their sum of squares,
    scaled by (m/n)², is divided by (m−1)(m−3), which is the same number where every case stands alone. NaN below
    four units.
    """
    units = influence if codes is None else cluster_sums(influence, codes)
    if len(units) < FEWEST_FOR_INTERVAL:
        return float("nan")
    total = exact_sum(units * units) * (len(units) / len(influence)) ** 2
    return float(np.sqrt(total / ((len(units) - 1) * (len(units) - 3))))


def influence_errors(found: Correlations, codes: list[Ints | None]) -> Floats:
    """Return the influence-function standard error on the Fisher scale per slice; NaN where |ρ| is clipped."""
    parts = np.split(found.influence, found.starts[1:])
    errors = np.array([mean_error(part, code) for part, code in zip(parts, codes, strict=True)])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.abs(found.rho) < CLIP, errors / (1 - found.rho**2), np.nan)


def fisher(rho: Floats) -> Floats:
    """Return atanh ρ with |ρ| clipped at .9999."""
    result: Floats = np.arctanh(np.clip(rho, -CLIP, CLIP))
    return result


def fisher_interval(rho: Floats, error: Floats, level: float) -> tuple[Floats, Floats]:
    """Return the two-sided interval tanh(atanh ρ ± q·SE) that holds ``level``; NaN where there is no SE."""
    reach = two_sided_quantile(level) * error
    return np.tanh(fisher(rho) - reach), np.tanh(fisher(rho) + reach)


def probability_below(rho: Floats, error: Floats, threshold: Floats) -> Floats:
    """Return Φ((atanh ρ − atanh threshold)/SE): small where the agreement is proven to be below the threshold."""
    return normal_cdf((fisher(rho) - np.arctanh(threshold)) / error)
