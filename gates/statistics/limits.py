"""The one comparison with a limit, and how numbers beside a limit are written (rule R1).

Every statistic is compared unrounded through ``meets``; a number that a person reads has two decimals, or as many as
it takes to stand on the same side of its limit as the number that was compared.
"""

import math

TOLERANCE = 1e-9
FEWEST_DECIMALS = 2
OWNER_DECIMALS = 4  # what a form takes; such a number is written as it was set
LIMIT_DECIMALS = 6
MOST_DECIMALS = 12


def meets(value: float, limit: float) -> bool:
    """Say whether ``value`` is at or above ``limit``; equality passes, NaN never does.

    For a limit that must not be exceeded the roles are turned round: ``meets(limit, value)``.
    """
    return value >= limit - TOLERANCE


def decimals_beside(value: float, limit: float) -> int:
    """Return how many decimals keep the rounded ``value`` on its side of ``limit``."""
    for decimals in range(FEWEST_DECIMALS, MOST_DECIMALS):
        if meets(round(value, decimals), limit) == meets(value, limit):
            return decimals
    return MOST_DECIMALS


def shown_beside(value: float, limit: float) -> str:
    """Write ``value`` so that a reader who compares it with ``limit`` reaches the verdict that was reached."""
    return shown(value, decimals_beside(value, limit))


def shown_limit(limit: float, beside: float | None = None) -> str:
    """Write a limit: two decimals, more if it has more; six of one that was computed from a previous level.

    ``beside`` is the value that stands next to it, written by ``shown_beside``: a computed limit then has as many
    decimals as it takes for the two written numbers to compare as the real ones do.
    """
    places = range(FEWEST_DECIMALS, LIMIT_DECIMALS)
    exact = [
        decimals for decimals in places if math.isclose(round(limit, decimals), limit, rel_tol=0, abs_tol=TOLERANCE)
    ]
    if exact and exact[0] <= OWNER_DECIMALS:
        return shown(limit, exact[0])
    enough = [decimals for decimals in places if beside is not None and _compares(limit, decimals, beside)]
    return shown(limit, min([*exact[:1], *enough[:1], LIMIT_DECIMALS]))


def _compares(limit: float, decimals: int, value: float) -> bool:
    written = round(value, decimals_beside(value, limit))
    return meets(written, round(limit, decimals)) == meets(value, limit)


def shown(value: float, decimals: int = FEWEST_DECIMALS) -> str:
    """Write a number with a true minus sign and without a negative zero."""
    return f"{round(value, decimals) + 0.0:.{decimals}f}".replace("-", "\N{MINUS SIGN}")


def shown_gap(value: float, limit: float) -> str:
    """Write how far ``value`` lies from ``limit``, with as many decimals as it and enough not to read as nothing."""
    return shown_size(limit - value, decimals_beside(value, limit))


def shown_size(difference: float, fewest: int = FEWEST_DECIMALS) -> str:
    """Write a difference without its sign, with enough decimals not to read as nothing."""
    decimals = fewest
    while decimals < MOST_DECIMALS and abs(difference) > TOLERANCE and round(abs(difference), decimals) == 0:
        decimals += 1
    return shown(abs(difference), decimals)


def shown_change(difference: float) -> str:
    """Write a difference with its sign, with enough decimals not to read as nothing."""
    sign = "+" if difference > 0 else "\N{MINUS SIGN}" if difference < 0 else ""
    return sign + shown_size(difference)


def shown_probability(p: float, alpha: float = 0.05) -> str:
    """Write a p-value with three decimals, more if rounding would carry it over ``alpha``."""
    if p < 0.001:
        return "p < 0.001"
    for decimals in range(3, MOST_DECIMALS):
        if meets(alpha, round(p, decimals)) == meets(alpha, p):
            return f"p = {p:.{decimals}f}"
    return f"p = {p:.{MOST_DECIMALS}f}"
