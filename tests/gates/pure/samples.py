"""Small samples that mean the same on every machine, and Hypothesis strategies of grades and scores."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from gates.statistics.agreement import AgreementResult, GradedScores, judge_agreement
from gates.statistics.arrays import Floats
from gates.statistics.policies import Policy
from gates.statistics.rules import AgreementRule, Floor, FloorSource, QualityRule

unhurried = settings(deadline=None)  # the machine is shared, and time is not what these tests are about

GRADES = st.integers(1, 5).map(float)
SCORES = st.integers(-40, 40).map(lambda whole: whole / 8)
ROUGH_SCORES = st.none() | st.sampled_from([float("nan"), float("inf"), float("-inf")]) | SCORES


@st.composite
def graded(draw: st.DrawFn, lowest: int = 0, highest: int = 60) -> tuple[list[float], list[float]]:
    """Draw as many grades as scores, with ties on both sides."""
    pairs = draw(st.lists(st.tuples(GRADES, SCORES), min_size=lowest, max_size=highest))
    return [grade for grade, _ in pairs], [score for _, score in pairs]


def related(n: int, strength: float, seed: int = 7) -> tuple[Floats, Floats]:
    """Return 1-to-5 grades and continuous scores of ``n`` answers whose agreement grows with ``strength``."""
    rng = np.random.default_rng(seed)
    grades = rng.normal(size=n)
    scores = strength * grades + (1 - strength) * rng.normal(size=n)
    return np.clip(np.round(3 + grades), 1, 5), scores


def agreement_of(
    human: object, judge: object, *, threshold: float = 0.65, policy: Policy = Policy.POINT, n_min: int = 20
) -> AgreementResult:
    """Judge one slice under a plain rule."""
    rule = AgreementRule(threshold, policy, n_min=n_min)
    return judge_agreement(GradedScores(human, judge, rule))  # type: ignore[arg-type]


def quality_rule(floor: float | None, policy: Policy = Policy.POINT, n_min: int = 20) -> QualityRule:
    """Return a rule with the owner's floor, or with none."""
    source = FloorSource.NONE if floor is None else FloorSource.OWNER
    return QualityRule(Floor(floor, source), policy, n_min)
