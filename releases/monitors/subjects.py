"""Requests of one subject are not independent: caps, groups and the learned dispersion (rules R11a, R12).

In each chunk a subject counts at most 5 % of its arm's requests, and at least one request. Over the checkpoint,
subjects fall by a hash of their name into a fixed number of groups whose totals add; the spread of the group totals
around a common rate is the dispersion φ. Groups of subjects that were put together by chance have the sum of their
subjects' variances, so φ covers that a few subjects send most requests, fail more than others, and go on doing so
from chunk to chunk, while the stored state keeps its size and names nobody. In a small chunk the one request that
always counts is more than 5 %, so that a breach must hold without the worst group as well.
"""

import hashlib
from collections.abc import Mapping

import numpy as np

from gates.statistics.arrays import Floats
from releases.monitors.sums import WHOLE

CAP = 0.05
FEWEST_SUBJECTS = 30

PRIOR_WEIGHT = 10
PRIOR_DISPERSION = 3


def group_of(subject: str, groups: int) -> int:
    """Return the group of a subject, independent of the bucket that assigns it to an arm."""
    digest = hashlib.sha256(f"relcontrol/monitor-group/{subject}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % groups


def weights_of(subjects: Mapping[str, int]) -> dict[str, int]:
    """Return what one request of each subject counts in a chunk of one arm, in thousandths of a request.

    ``subjects`` maps each subject to its requests in the chunk.
    """
    allowed = max(1.0, CAP * sum(subjects.values()))
    return {
        name: WHOLE if count <= allowed else max(1, round(WHOLE * allowed / count))
        for name, count in subjects.items()
        if count
    }


def but_the_worst(events: Floats, exposures: Floats) -> tuple[Floats, Floats]:
    """Return the units but the one with most events: its subject may fail for reasons that are not the release's."""
    if not len(events):
        return events, exposures
    worst = int(np.argmax(events))
    return np.delete(events, worst), np.delete(exposures, worst)


def effective_units(exposures: Floats) -> float:
    """Return how many equally large units would be as informative: (Σn)²/Σn², 0 for none."""
    squares = float((exposures * exposures).sum())
    return float(exposures.sum()) ** 2 / squares if squares > 0 else 0.0


def observed_dispersion(events: Floats, exposures: Floats, *, binomial: bool = False) -> float:
    """Return Σ(xᵢ − p·nᵢ)²/(p·Σn)·t/(t − 1), p the common rate; 1 where nothing can be learned.

    With equal exposures this is Pearson's X²/(t − 1); with unequal ones the squares of the large units count as much
    as they do in the variance of the total. ``binomial`` divides by 1 − p, too, for events that are not rare.
    """
    units, exposure = effective_units(exposures), float(exposures.sum())
    rate = float(events.sum()) / exposure if exposure > 0 else 0.0
    variance = rate * exposure * (1 - rate if binomial else 1.0)
    if units <= 1 or variance <= 0:
        return 1.0
    residuals = events - rate * exposures
    return float((residuals * residuals).sum()) / variance * units / (units - 1)


def learned_dispersion(events: Floats, exposures: Floats, *, binomial: bool = False) -> float:
    """Shrink an arm's observed dispersion towards 3: (10·3 + (t − 1)·raw)/(9 + t), t its effective units."""
    units = max(1.0, effective_units(exposures))
    raw = observed_dispersion(events, exposures, binomial=binomial)
    return (PRIOR_WEIGHT * PRIOR_DISPERSION + (units - 1) * raw) / (PRIOR_WEIGHT - 1 + units)


def ratio_dispersion(candidate: tuple[Floats, Floats], stable: tuple[Floats, Floats]) -> float:
    """Return φ of a ratio of two rates, each arm given as (events, exposures) of its units; never under 1.

    The variance of log R is φc/C + φb/B, so φ is the mean of the arms' dispersions weighted by the other arm's events.
    """
    own, others = learned_dispersion(*candidate), learned_dispersion(*stable)
    events, other_events = float(candidate[0].sum()), float(stable[0].sum())
    if events + other_events <= 0:
        return max(1.0, own, others)
    return max(1.0, (own * other_events + others * events) / (events + other_events))
