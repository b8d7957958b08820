"""At 100 % there is no concurrent arm: a rate against the frozen baseline (rule R13).

The limit is R0 times the Garwood upper bound of the baseline's rate (Biometrika 28, 1936) at α/2, and the evidence a
Gamma(2)-mixture Poisson e-value with mean 2 × the limit. As a bound and an e-value share α, the evidence that is
reported is half the e-value: it breaches at 1/α like every other monitor, the e-value itself at 2/α.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from gates.statistics.arrays import Floats
from releases.monitors.evidence import log_mixture

OLDEST_HOURS = 24
FEWEST_REQUESTS = 1000
SHAPE, MEAN = 2.0, 2.0  # of the prior on the rate, in units of the limit

_BELOW: Floats = (np.arange(200) + 0.5) / 200  # rates under the limit, in units of it
_LOG_BELOW_PRIOR: Floats = np.log(_BELOW) * (SHAPE - 1) - _BELOW * SHAPE / MEAN


@dataclass(frozen=True, slots=True)
class Events:
    """Errors and requests, divided by the dispersion where subjects are not independent."""

    errors: float
    requests: float


def garwood_upper(events: Events, alpha: float) -> float:
    """Return the upper bound of a Poisson rate at one-sided ``alpha``; infinite without requests."""
    if events.requests <= 0:
        return math.inf
    return float(special.gammaincinv(events.errors + 1, 1 - alpha)) / events.requests


def garwood_lower(events: Events, alpha: float) -> float:
    """Return the lower bound of a Poisson rate at one-sided ``alpha``; 0 without errors."""
    if events.requests <= 0 or events.errors <= 0:
        return 0.0
    return float(special.gammaincinv(events.errors, alpha)) / events.requests


def log_poisson_mixture(events: Events, rate: float) -> float:
    """Return the log e-value of ``events`` against ``rate``: the mixture's likelihood over the rate's.

    It grows on either side of the rate; ``log_above`` counts one side only.
    """
    scale = SHAPE / (MEAN * rate)
    x, n = events.errors, events.requests
    mixture = special.gammaln(SHAPE + x) - special.gammaln(SHAPE) + SHAPE * math.log(scale)
    return float(mixture - (SHAPE + x) * math.log(scale + n) - x * math.log(rate) + rate * n)


def log_above(events: Events, rate: float) -> float:
    """Return the log e-value that the rate is over ``rate``: never above 0 while what was seen is not."""
    if events.requests <= 0 or not math.isfinite(rate):
        return 0.0
    found = log_poisson_mixture(events, rate)
    return found if events.errors > rate * events.requests else min(0.0, found)


def log_below(events: Events, rate: float) -> float:
    """Return the log e-value that the rate is under ``rate``, over 200 rates below it weighted by the same prior."""
    if events.requests <= 0 or rate <= 0 or not math.isfinite(rate):
        return 0.0
    gains = events.errors * np.log(_BELOW) + rate * events.requests * (1 - _BELOW)
    return log_mixture(gains, _LOG_BELOW_PRIOR)


def unusable_sentence(requests: int, age_hours: float) -> str:
    """Say why a baseline only holds."""
    if requests < FEWEST_REQUESTS:
        return f"The frozen baseline has {requests:,} requests: under {FEWEST_REQUESTS:,} it only holds."
    return f"The frozen baseline is {age_hours:.0f} hours old: after {OLDEST_HOURS} hours it only holds."
