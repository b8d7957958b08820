"""Array types of the statistics package, and the sums that do not depend on the order of the cases.

A gate run's verdicts are hashed, so two uploads of the same cases in another order must give the same bits: sums of
floats are correctly rounded (``math.fsum``), sums of ranks are integers.
"""

import math
from collections.abc import Hashable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Scores = Sequence[float | None] | Floats
Clusters = Sequence[Hashable]


def as_floats(values: Scores) -> Floats:
    """Return a one-dimensional float64 array; None and infinities become NaN, for both are no score."""
    array = np.array(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"expected one number per case, got an array of shape {array.shape}")
    return np.where(np.isfinite(array), array, np.nan)


def exact_sum(values: Iterable[float]) -> float:
    """Sum floats correctly rounded, whatever their order."""
    return math.fsum(values.tolist() if isinstance(values, np.ndarray) else values)


def exact_mean(values: Floats | Sequence[float]) -> float:
    """Return the mean; NaN for no values."""
    return exact_sum(values) / len(values) if len(values) else math.nan


def spread(values: Floats) -> float:
    """Return the standard deviation (n − 1); NaN for fewer than two values."""
    if len(values) < 2:
        return math.nan
    deviations = values - exact_mean(values)
    return math.sqrt(exact_sum(deviations * deviations) / (len(values) - 1))


def known(value: float) -> float | None:
    """Return a plain finite float, else None: what is not known, or is no number, travels as None."""
    return float(value) if math.isfinite(value) else None


def codes_of(clusters: Clusters) -> Ints:
    """Number the clusters 0, 1, … ; a case whose cluster is None stands alone."""
    numbers: dict[Hashable, int] = {}
    names = [("alone", index) if cluster is None else ("cluster", cluster) for index, cluster in enumerate(clusters)]
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)


def cluster_sums(values: Floats, codes: Ints) -> Floats:
    """Sum ``values`` per cluster, each sum taken over ascending values so that the order of cases has no say."""
    if not len(values):
        return values
    order = np.lexsort((values, codes))
    sorted_codes = codes[order]
    starts = np.flatnonzero(np.r_[True, sorted_codes[1:] != sorted_codes[:-1]])
    sums: Floats = np.add.reduceat(values[order], starts)
    return sums
