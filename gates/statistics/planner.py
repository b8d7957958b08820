"""The case planner: what a number of cases can prove (rule R6).

Normal approximation on the Fisher scale with Bonett and Wright's standard errors, one-sided test, so
n = ⌈3 + ((z_a √(1 + t²/2) + z_b √(1 + r²/2)) / (atanh t − atanh r))²⌉ for threshold t and true agreement r.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from gates.statistics.distributions import ALPHA, normal_cdf, normal_quantile
from gates.statistics.limits import TOLERANCE
from gates.statistics.policies import Policy
from gates.statistics.spearman import CLIP, FEWEST_FOR_INTERVAL

POWER = 0.8
SHOWN_SIZES = (50, 100, 200)
SHOWN_OFFSETS = (-0.10, -0.05, 0.0, 0.05, 0.10)


def cases_needed(threshold: float, true: float, *, power: float = POWER, alpha: float = ALPHA) -> int | None:
    """Return the cases that prove, ``power`` of the time, on which side of ``threshold`` a true agreement lies.

    None where they are equal: no number of cases tells them apart.
    """
    if abs(threshold - true) <= TOLERANCE:
        return None
    return math.ceil(_exact_cases(threshold, true, power, alpha))


def _exact_cases(threshold: float, true: float, power: float, alpha: float) -> float:
    reach = normal_quantile(1 - alpha) * _unit_error(threshold) + normal_quantile(power) * _unit_error(true)
    return 3 + (reach / (_fisher(threshold) - _fisher(true))) ** 2


def _unit_error(rho: float) -> float:
    return math.sqrt(1 + min(abs(rho), CLIP) ** 2 / 2)


def _fisher(rho: float) -> float:
    return math.atanh(max(-CLIP, min(CLIP, rho)))


def smallest_provable_shortfall(
    threshold: float, n: int, *, power: float = POWER, alpha: float = ALPHA
) -> float | None:
    """Return how far below ``threshold`` a true agreement must lie to be proven with ``n`` cases; None below n = 4."""
    if n < FEWEST_FOR_INTERVAL:
        return None
    nearest = threshold - TOLERANCE
    if _exact_cases(threshold, nearest, power, alpha) <= n:
        return TOLERANCE
    return threshold - _root(lambda r: _exact_cases(threshold, r, power, alpha) - n, nearest, xtol=1e-14)


def pass_probability(threshold: float, true: float, n: int, policy: Policy = Policy.POINT) -> float:
    """Return how often a slice of ``n`` cases whose true agreement is ``true`` passes (guarded: without a review)."""
    if n < FEWEST_FOR_INTERVAL:
        return 0.0
    margin = 0.0 if policy is Policy.POINT else normal_quantile(1 - ALPHA) * _unit_error(threshold) / math.sqrt(n - 3)
    return float(normal_cdf((_fisher(true) - _fisher(threshold) - margin) * math.sqrt(n - 3) / _unit_error(true)))


def true_agreement_to_pass(threshold: float, n: int, probability: float, policy: Policy = Policy.POINT) -> float | None:
    """Return the true agreement at which ``n`` cases pass with ``probability``; None where not even .9999 is enough."""
    if pass_probability(threshold, CLIP, n, policy) < probability:
        return None
    return _root(lambda r: pass_probability(threshold, r, n, policy) - probability, CLIP)


def _root(of: Callable[[float], float], highest: float, *, xtol: float = 2e-12) -> float:
    """Return where ``of`` is zero between the lowest agreement and ``highest``."""
    from scipy.optimize import brentq  # noqa: PLC0415 - takes long to import, and few processes plan

    return float(brentq(of, -CLIP, highest, xtol=xtol))


def all_pass_probability(probabilities: Iterable[float]) -> float:
    """Return how often all slices pass when each passes by itself with its own probability (the family effect)."""
    return math.prod(probabilities)


@dataclass(frozen=True, slots=True)
class PlannerRow:
    """P(pass) of ``n`` cases at each true agreement ``threshold + offset``."""

    n: int
    pass_probabilities: tuple[float, ...]


def planner_table(
    threshold: float,
    *,
    sizes: Sequence[int] = SHOWN_SIZES,
    offsets: Sequence[float] = SHOWN_OFFSETS,
    policy: Policy = Policy.POINT,
) -> tuple[PlannerRow, ...]:
    """Tabulate what the policy does at several sizes and true agreements."""
    return tuple(
        PlannerRow(n, tuple(pass_probability(threshold, threshold + offset, n, policy) for offset in offsets))
        for n in sizes
    )
