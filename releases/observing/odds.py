"""How often a healthy slice would be taken back all the same (statistics.md R16).

Pure. A window's mean is below the floor with the chance of a gamma-shaped tail (Pearson III), since scores that are
mostly good have their rare bad ones on one side; without skewness that is the normal tail. Three windows in a row
follow a Gaussian AR(1) in the windows' order, integrated by Gauss-Legendre; no draw is made, so all is deterministic.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

NODES: Final = 128
SPAN: Final = 8.0  # standard deviations below the floor beyond which nothing counts
STEEPEST: Final = 1e-6  # a skewness nearer to nothing than this is none


def chance_below(ratio: Floats, skewness: Floats) -> Floats:
    """The chance that a window's mean lies `ratio` standard deviations or more under the healthy mean.

    `skewness` is that of the window's mean; only a tail towards bad scores counts (negative), another one is taken for
    none. Both of one shape; returns chances in [0, 1].
    """
    lean = np.maximum(-skewness, 0.0)
    shape = 4 / np.square(np.maximum(lean, STEEPEST))
    leaning = special.gammaincc(shape, np.maximum(shape + ratio * np.sqrt(shape), 0.0))
    return np.asarray(np.where(lean > STEEPEST, leaning, special.ndtr(-ratio)))


def in_normal_units(ratio: Floats, skewness: Floats) -> Floats:
    """The ratio at which a normal tail would be as likely as this one; never more than `ratio` itself."""
    return np.asarray(np.minimum(ratio, -special.ndtri(chance_below(ratio, skewness))))


def chance_of_three(ratio: float, correlation: float) -> float:
    """The chance that a given window is the third below the floor in a row, and no more than the third.

    `ratio` is headroom by standard deviation of a window's mean, in normal units; `correlation` is that of neighbouring
    windows, in [0, 1). A run of more than three counts once.
    """
    if not 0 <= correlation < 1:
        raise ValueError(f"a correlation of {correlation} is outside [0, 1)")
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    at, weights = -ratio + (nodes - 1) * SPAN / 2, weights * SPAN / 2
    rest = np.sqrt(1 - correlation**2)
    step = _density((at[:, None] - correlation * at[None, :]) / rest) / rest
    runs, density = [], _density(at)
    for _ in range(4):
        runs.append(float(weights @ density))
        density = step @ (weights * density)
    return max(0.0, runs[2] - runs[3])


def _density(x: Floats) -> Floats:
    return np.asarray(np.exp(-x * x / 2) / np.sqrt(2 * np.pi))
