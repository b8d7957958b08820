"""Holm's step-down correction over the slices of a run (rules R5, R8; Scandinavian Journal of Statistics 6, 1979)."""

from collections.abc import Sequence

from gates.statistics.distributions import ALPHA
from gates.statistics.limits import meets


def holm_adjusted(p_values: Sequence[float | None]) -> list[float | None]:
    """Return each p-value adjusted for the family of those that exist; None stays None and is not counted."""
    tested = sorted((p, index) for index, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for place, (p, index) in enumerate(tested):
        largest = max(largest, min(1.0, p * (len(tested) - place)))
        adjusted[index] = largest
    return adjusted


def holm_rejected(p_values: Sequence[float | None], alpha: float = ALPHA) -> list[bool]:
    """Say which hypotheses are rejected with a family-wise error of at most ``alpha``."""
    return [p is not None and meets(alpha, p) for p in holm_adjusted(p_values)]
