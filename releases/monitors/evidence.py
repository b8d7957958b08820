"""Evidence as e-values, kept as logarithms: mixtures, and the limits that evidence is compared with (rule R11).

An e-value has expectation at most 1 while the release is within its limit, at every moment: the chance that it ever
reaches L is at most 1/L (Ville 1939; Ramdas and others, Statistical Science 38, 2023), so one may look at any time.
"""

import math
from dataclasses import dataclass

from scipy import special

from gates.statistics.arrays import Floats

BASE_ALARM = 20.0  # 1/α for α = .05
PROVEN_WITHIN = 20.0
LARGEST_LOG = 700.0  # e⁷⁰⁰ is the largest power that a float holds with room to spare


@dataclass(frozen=True, slots=True)
class Alarm:
    """The evidence that breaches, and whether it covers the whole rollout or one monitor alone."""

    value: float
    whole_rollout: bool


def rollout_alarm(*, monitors: int, slices: int, checkpoints: int) -> Alarm:
    """Return L = 20·m: at most one healthy rollout in 20 breaches, over all its monitors, slices and checkpoints."""
    tests = monitors * slices * checkpoints
    if min(monitors, slices, checkpoints) < 1:
        raise ValueError("a rollout has at least one monitor, one slice and one checkpoint")
    return Alarm(BASE_ALARM * tests, whole_rollout=True)


MONITOR_ALARM = Alarm(BASE_ALARM, whole_rollout=False)


def value_of(log_evidence: float) -> float:
    """Return the e-value of a logarithm, finite also where the evidence is beyond every number of this machine."""
    return math.exp(min(log_evidence, LARGEST_LOG))


def log_mean(logs: Floats) -> float:
    """Return the logarithm of the mean of e-values."""
    return float(special.logsumexp(logs)) - math.log(len(logs))


def log_mixture(logs: Floats, log_weights: Floats) -> float:
    """Return the logarithm of the mean of e-values under weights that need not sum to one; -∞ for no weight."""
    if not len(logs):
        return -math.inf
    return float(special.logsumexp(logs + log_weights) - special.logsumexp(log_weights))
