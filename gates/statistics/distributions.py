"""Normal and Student distributions, typed, accurate in both tails."""

from scipy import special

from gates.statistics.arrays import Floats

ALPHA = 0.05
SHOWN_LEVEL = 0.90  # two-sided 90 %: its ends are the one-sided 5 % bounds that the rules use


def normal_cdf(z: Floats | float) -> Floats:
    """Return P(Z ≤ z)."""
    result: Floats = special.ndtr(z)
    return result


def normal_quantile(p: float) -> float:
    """Return z with P(Z ≤ z) = p."""
    return float(special.ndtri(p))


def student_cdf(t: float, freedom: float) -> float:
    """Return P(T ≤ t) with ``freedom`` degrees of freedom."""
    return float(special.stdtr(freedom, t))


def student_quantile(p: float, freedom: float) -> float:
    """Return t with P(T ≤ t) = p and ``freedom`` degrees of freedom."""
    return float(special.stdtrit(freedom, p))


def two_sided_quantile(level: float) -> float:
    """Return q such that ± q holds ``level`` of the normal distribution."""
    return normal_quantile(0.5 + level / 2)
