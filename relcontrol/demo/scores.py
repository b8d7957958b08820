"""Scores and grades of the demo, made so that judge and experts agree as closely as the story says.

Deterministic: a fixed seed for each slice and release. Three experts grade on 1 to 5; how much of their grades follows
the judge is found by bisection until Spearman's ρ is the wanted one to within half a hundredth.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gates.statistics.panel import as_ratings, rank_grades
from gates.statistics.ranks import ALONE, mid_ranks
from gates.statistics.spearman import correlate

Floats = npt.NDArray[np.float64]

EXPERTS: Final = ("expert-1", "expert-2", "expert-3")
LOWEST, SPAN = 0.42, 0.52
GAIN: Final = 0.012
RATER_NOISE: Final = 0.5
GRADE_ENDS: Final = (-2.2, -1.3, -0.55, 0.5)
STEPS: Final = 20
ATTEMPTS: Final = 4
SEEDS_APART: Final = 1_000
DECIMALS: Final = 3


@dataclass(frozen=True, slots=True)
class Graded:
    """Judge scores in [0, 1] and the three experts' grades, by answer."""

    scores: tuple[float, ...]
    grades: tuple[tuple[int, ...], ...]


def scores_of(seed: int, count: int, *, lift: float = 0.0, drops: Sequence[float] = ()) -> tuple[float, ...]:
    """The judge's scores. `lift` is added to all; each of `drops` is taken from one of the answers."""
    shuffled = np.random.default_rng(seed).permutation(count)
    scores = LOWEST + SPAN * (shuffled + 0.5) / count + lift
    best = np.argsort(-scores)[: len(drops)]
    scores[best] -= np.array(drops) if len(drops) else 0.0
    return tuple(np.round(np.clip(scores, 0.0, 1.0), DECIMALS).tolist())


def graded(seed: int, scores: Sequence[float], agreement: float) -> Graded:
    """Grades of these answers whose agreement with the scores is the wanted one."""
    attempts = (_attempt(seed + SEEDS_APART * number, scores, agreement) for number in range(ATTEMPTS))
    grades = min(attempts, key=lambda found: _missed(scores, found, agreement))
    return Graded(tuple(scores), tuple(tuple(column) for column in grades.T.astype(int).tolist()))


def _attempt(seed: int, scores: Sequence[float], agreement: float) -> Floats:
    """Grades from one seed; they are whole numbers, so that not every ρ can be reached from each."""
    random = np.random.default_rng(seed)
    own, noise = random.standard_normal(len(scores)), random.standard_normal((len(EXPERTS), len(scores)))
    followed = _normal_scores(np.array(scores))
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        share = (low + high) / 2
        below = _rho(scores, _grades(share, followed, own, noise)) < agreement
        low, high = (share, high) if below else (low, share)
    return _grades((low + high) / 2, followed, own, noise)


def _missed(scores: Sequence[float], grades: Floats, agreement: float) -> float:
    return abs(_rho(scores, grades) - agreement)


def _normal_scores(scores: Floats) -> Floats:
    """The scores' ranks, standardised: spread evenly and of variance one."""
    ranks = mid_ranks(scores)
    standardised: Floats = (ranks - ranks.mean()) / ranks.std()
    return standardised


def _grades(share: float, followed: Floats, own: Floats, noise: Floats) -> Floats:
    shared = share * followed + np.sqrt(1 - share**2) * own
    grades: Floats = np.digitize(shared + RATER_NOISE * noise, GRADE_ENDS) + 1.0
    return grades


def _rho(scores: Sequence[float], grades: Floats) -> float:
    panel = rank_grades(as_ratings(grades))
    return float(correlate(panel, np.array(scores), ALONE).rho[0])
