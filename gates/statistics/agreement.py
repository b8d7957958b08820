"""Does the judge rank answers as the experts do? Agreement per slice with its verdict (rules R1–R5, R7).

Scores and grades of one slice are of the *same* answers, paired by the caller. All slices of a run go through
``judge_agreements`` together: only the sorting is done slice by slice, the rest in flat arrays (see ``ranks``).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

import numpy as np

from gates.statistics.arrays import Clusters, Floats, Ints, Scores, as_floats, codes_of, known, spread
from gates.statistics.distributions import ALPHA, SHOWN_LEVEL
from gates.statistics.holm import holm_adjusted
from gates.statistics.insufficiency import Material, cases_to_be_judged, reason_not_to_judge
from gates.statistics.limits import meets
from gates.statistics.planner import cases_needed
from gates.statistics.policies import UNDECIDABLE, Decision, Evidence, Insufficiency, Outcome, decide
from gates.statistics.rules import AgreementRule
from gates.statistics.spearman import (
    CLIP,
    Correlations,
    bonett_wright_error,
    correlate,
    fisher_interval,
    influence_errors,
    probability_below,
)

BATCH_CASES = 8_192
NARROW_RANGE = 0.5  # own grades that vary less than half as much as calibration's hide agreement that is there


class Source(StrEnum):
    """Whose answers the experts graded: this release's own, or earlier ones."""

    OWN = "own"
    CALIBRATION = "calibration"


@dataclass(frozen=True, slots=True, eq=False)
class GradedScores:
    """The graded answers of one slice: human grade and judge score per answer (None or NaN where missing).

    ``own_spread`` and ``calibration_spread`` are the standard deviations of the own and of the calibration's grades as
    levels, since ranks always vary alike; given where the calibration is known. ``foreign_grades``: there are grades,
    but of other answers.
    """

    human: Scores
    judge: Scores
    rule: AgreementRule
    clusters: Clusters | None = None
    source: Source = Source.OWN
    own_spread: float | None = None
    calibration_spread: float | None = None
    foreign_grades: bool = False


@dataclass(frozen=True, slots=True)
class AgreementResult:
    """ρ with everything that led to its verdict; None where a number does not exist.

    ``graded``: answers with a human grade; ``n``: those of them with a score. ``se_z`` is the larger of ``se_bw`` and
    ``se_if``, on the Fisher scale; ``low`` and ``high`` are its 90 % interval, as ρ. ``p_below`` is small where ρ is
    proven to be under the threshold; ``p_family`` is the same after Holm's correction over the run's slices.
    """

    rule: AgreementRule
    source: Source
    graded: int
    n: int
    rho: float | None
    se_bw: float | None
    se_if: float | None
    se_z: float | None
    low: float | None
    high: float | None
    outcome: Outcome
    evidence: Evidence
    reason: Insufficiency | None = None
    p_below: float | None = None
    p_above: float | None = None
    p_family: float | None = None
    cases_needed: int | None = None

    @property
    def missing(self) -> int:
        """Graded answers that the judge left without a usable score."""
        return self.graded - self.n

    @property
    def p(self) -> float | None:
        """The p-value of what was seen: of lying above the threshold, or below it, a fail corrected for the family."""
        if self.rho is None or self.p_below is None:
            return None
        if meets(self.rho, self.rule.threshold):
            return self.p_above
        return self.p_family if self.outcome is Outcome.FAIL else self.p_below

    def interval(self, level: float) -> tuple[float, float] | None:
        """Return the two-sided interval of ρ at another level, e.g. .95."""
        if self.rho is None or self.se_z is None:
            return None
        low, high = fisher_interval(np.array([self.rho]), np.array([self.se_z]), level)
        return float(low[0]), float(high[0])


@dataclass(frozen=True, slots=True, eq=False)
class _Usable:
    """The answers of one slice with both numbers, as arrays."""

    human: Floats
    judge: Floats
    codes: Ints | None
    graded: int
    threshold: float


def judge_agreement(scores: GradedScores) -> AgreementResult:
    """Judge one slice."""
    return judge_agreements([scores])[0]


def judge_agreements(slices: Sequence[GradedScores]) -> list[AgreementResult]:
    """Judge all slices of a run, each on its own cases, and correct the label "proven fail" over them."""
    usable = [_usable(scores) for scores in slices]
    rows = iter(_correlated([answers for answers in usable if len(answers.human)]))
    numbers = [next(rows) if len(answers.human) else NOTHING for answers in usable]
    judged = [_judged(*row) for row in zip(slices, usable, numbers, strict=True)]
    families = holm_adjusted([None if each.reason else known(each.numbers.p_below) for each in judged])
    return [_result(scores, each, p) for scores, each, p in zip(slices, judged, families, strict=True)]


def _usable(scores: GradedScores) -> _Usable:
    human, judge = as_floats(scores.human), as_floats(scores.judge)
    codes = None if scores.clusters is None else codes_of(scores.clusters)
    if len(human) != len(judge) or (codes is not None and len(codes) != len(human)):
        raise ValueError("grades, scores and clusters differ in number: give one of each per graded answer")
    graded = ~np.isnan(human)
    both = graded & ~np.isnan(judge)
    return _Usable(
        human[both], judge[both], None if codes is None else codes[both], int(graded.sum()), scores.rule.threshold
    )


@dataclass(frozen=True, slots=True)
class _Numbers:
    """What the arrays say about one slice; NaN where a number does not exist."""

    n: int
    human_off_mode: int
    judge_off_mode: int
    rho: float
    se_bw: float
    se_if: float
    se_z: float
    low: float
    high: float
    p_below: float
    p_above: float


NOTHING = _Numbers(0, 0, 0, *[math.nan] * 8)


def _correlated(filled: list[_Usable]) -> list[_Numbers]:
    """Correlate in batches small enough to stay in the processor's cache, which is what makes many slices fast."""
    ends = np.cumsum([len(answers.human) for answers in filled]).tolist()
    batches = groupby(zip(filled, ends, strict=True), key=lambda row: row[1] // BATCH_CASES)
    return [numbers for _, rows in batches for numbers in _correlated_batch([answers for answers, _ in rows])]


def _correlated_batch(batch: list[_Usable]) -> list[_Numbers]:
    human = np.concatenate([answers.human for answers in batch])
    judge = np.concatenate([answers.judge for answers in batch])
    counts = np.array([len(answers.human) for answers in batch])
    found = correlate(human, judge, np.cumsum(counts) - counts)
    thresholds = np.array([answers.threshold for answers in batch])
    return _numbers(found, [answers.codes for answers in batch], thresholds)


def _numbers(found: Correlations, codes: list[Ints | None], thresholds: Floats) -> list[_Numbers]:
    se_bw = bonett_wright_error(found.rho, found.counts)
    se_if = influence_errors(found, codes)
    too_few_clusters = np.isnan(se_if) & (np.abs(found.rho) < CLIP)
    se_z = np.where(too_few_clusters, np.nan, np.fmax(se_bw, se_if))
    low, high = fisher_interval(found.rho, se_z, SHOWN_LEVEL)
    p_below = probability_below(found.rho, se_z, thresholds)
    p_above = probability_below(-found.rho, se_z, -thresholds)
    columns = (
        found.counts,
        found.human_off_mode,
        found.judge_off_mode,
        found.rho,
        se_bw,
        se_if,
        se_z,
        low,
        high,
        p_below,
        p_above,
    )
    return [_Numbers(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


@dataclass(frozen=True, slots=True)
class _Judged:
    """A slice decided by itself, before its family is looked at."""

    material: Material
    numbers: _Numbers
    reason: Insufficiency | None
    decision: Decision


def _judged(scores: GradedScores, answers: _Usable, numbers: _Numbers) -> _Judged:
    material = Material(answers.graded, numbers.n, numbers.human_off_mode, numbers.judge_off_mode)
    reason = reason_not_to_judge(material, scores.rule) or _narrow_range(scores, answers)
    if reason is Insufficiency.NO_CASES and scores.foreign_grades:
        reason = Insufficiency.GRADES_OF_OTHER_ANSWERS
    return _Judged(material, numbers, reason, UNDECIDABLE if reason else _decision(scores.rule, numbers))


def _result(scores: GradedScores, judged: _Judged, p_family: float | None) -> AgreementResult:
    numbers, decision, reason = judged.numbers, judged.decision, judged.reason
    return AgreementResult(
        rule=scores.rule,
        source=scores.source,
        graded=judged.material.graded,
        n=numbers.n,
        rho=known(numbers.rho),
        se_bw=known(numbers.se_bw),
        se_if=known(numbers.se_if),
        se_z=known(numbers.se_z),
        low=known(numbers.low),
        high=known(numbers.high),
        outcome=decision.outcome,
        evidence=_family_evidence(decision, p_family),
        reason=reason,
        p_below=None if reason else known(numbers.p_below),
        p_above=None if reason else known(numbers.p_above),
        p_family=p_family,
        cases_needed=_cases_needed(judged, scores.rule),
    )


def _family_evidence(decision: Decision, p_family: float | None) -> Evidence:
    """Keep "proven" on a fail only where Holm's correction over the run's slices keeps it (rule R5)."""
    lost = decision.outcome is Outcome.FAIL and p_family is not None and not meets(ALPHA, p_family)
    return Evidence.UNPROVEN if lost else decision.evidence


def _narrow_range(scores: GradedScores, answers: _Usable) -> Insufficiency | None:
    if scores.calibration_spread is None or scores.source is not Source.OWN:
        return None
    own = spread(answers.human) if scores.own_spread is None else scores.own_spread
    wide = meets(own, NARROW_RANGE * scores.calibration_spread)
    return None if wide else Insufficiency.RANGE_TOO_NARROW


def _decision(rule: AgreementRule, numbers: _Numbers) -> Decision:
    return decide(rule.policy, estimate=numbers.rho, low=numbers.low, high=numbers.high, limit=rule.threshold)


def _cases_needed(judged: _Judged, rule: AgreementRule) -> int | None:
    if judged.reason is not None:
        return cases_to_be_judged(judged.reason, judged.material, rule)
    if judged.decision.outcome not in (Outcome.REVIEW, Outcome.INSUFFICIENT):
        return None
    needed = cases_needed(rule.threshold, judged.numbers.rho)
    return None if needed is None else max(needed, judged.numbers.n + 1)
