"""Which order statistics bound a quantile, and the evidence that too many values lie beyond it (rule R14).

Of n values, the number that lie beyond the p95 is binomial with 5 %. A Beta(10, 190) mixture turns that count into an
e-value, and the counts that it does not exclude into ranks that bound the p95 at every look at once.
"""

import math

import numpy as np
from scipy import special

from gates.statistics.arrays import Floats
from releases.monitors.evidence import log_mixture

QUANTILE = 0.95
BEYOND = 0.05
PRIOR = (10.0, 190.0)

_ABOVE: Floats = np.geomspace(BEYOND, 0.999, 242)[1:]
_BELOW: Floats = np.geomspace(1e-4, BEYOND, 201)[:-1]


def log_beta_mixture(beyond: float, n: float) -> float:
    """Return the log e-value of ``beyond`` values of ``n`` against 5 %: large on either side."""
    a, b = PRIOR
    mixture = special.betaln(a + beyond, b + n - beyond) - special.betaln(a, b)
    return float(mixture - beyond * math.log(BEYOND) - (n - beyond) * math.log1p(-BEYOND))


def ranks_at_every_look(n: int, alarm: float) -> tuple[int, int]:
    """Return the ranks whose values bound the p95 at all looks but for a chance of 1/alarm; n + 1 is no bound."""
    middle = min(n, round(BEYOND * n))
    fewest = _last_kept(n, alarm, inside=middle, outside=-1)
    most = _last_kept(n, alarm, inside=middle, outside=n + 1)
    return n - most, n - fewest + 1


def _last_kept(n: int, alarm: float, *, inside: int, outside: int) -> int:
    """Return the count furthest towards ``outside`` that the evidence keeps: it only grows on the way there."""
    while abs(outside - inside) > 1:
        middle = (inside + outside) // 2
        if log_beta_mixture(middle, n) < math.log(alarm):
            inside = middle
        else:
            outside = middle
    return inside


def ranks_at_one_look(n: int, alpha: float) -> tuple[int, int]:
    """Return the binomial ranks that bound the p95, each side at ``alpha``, of a sample that no longer grows."""
    return _binomial_quantile(alpha, n), _binomial_quantile(1 - alpha, n) + 1


def _binomial_quantile(chance: float, n: int) -> int:
    """Return the smallest count of ``n`` that is not exceeded with ``chance``; scipy.stats takes long to import."""
    below, enough = -1, n
    while enough - below > 1:
        middle = (below + enough) // 2
        if special.bdtr(middle, n, QUANTILE) >= chance:
            enough = middle
        else:
            below = middle
    return enough


def log_above(beyond: float, n: float) -> float:
    """Return the log e-value that more than 5 % lie beyond; at most 0 while fewer do."""
    return _log_one_sided(_ABOVE, beyond, n)


def log_below(beyond: float, n: float) -> float:
    """Return the log e-value that fewer than 5 % lie beyond."""
    return _log_one_sided(_BELOW, beyond, n)


def _log_one_sided(shares: Floats, beyond: float, n: float) -> float:
    """Mix over shares on one side of 5 % only, weighted by the prior's density on their logarithm."""
    a, b = PRIOR
    gains = beyond * np.log(shares / BEYOND) + (n - beyond) * (np.log1p(-shares) - math.log1p(-BEYOND))
    return log_mixture(gains, a * np.log(shares) + (b - 1) * np.log1p(-shares))
