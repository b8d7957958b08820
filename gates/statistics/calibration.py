"""May this judge decide on this slice? Agreement with the panel, and whether the panel itself is firm (rule R10)."""

from dataclasses import dataclass

from gates.statistics.agreement import AgreementResult, GradedScores, Source, judge_agreement
from gates.statistics.arrays import Clusters, Scores
from gates.statistics.limits import meets
from gates.statistics.panel import Ratings, rank_grades
from gates.statistics.policies import Evidence, Insufficiency, Outcome, Policy
from gates.statistics.reliability import Reliability, reliability_of
from gates.statistics.rules import AgreementRule

FEWEST_CASES = 30
FEWEST_RATERS = 2
LOWEST_ALPHA = 0.667  # Krippendorff's lowest value for tentative conclusions
ROOM_UNDER_CEILING = 0.05


@dataclass(frozen=True, slots=True)
class CalibrationResult:
    """Agreement of judge and panel with the panel's reliability; ``reason`` says why neither could be judged."""

    agreement: AgreementResult
    reliability: Reliability
    outcome: Outcome
    evidence: Evidence
    reason: Insufficiency | None

    @property
    def share_of_ceiling(self) -> float | None:
        """ρ as a share of the human ceiling: shown, never compared with a limit."""
        return self.reliability.share_of_ceiling(self.agreement.rho)


def calibration_rule(threshold: float) -> AgreementRule:
    """Return the rule a calibration is judged by: guarded, at least 30 graded answers."""
    return AgreementRule(threshold, Policy.GUARDED, n_min=FEWEST_CASES)


def calibrate(
    ratings: Ratings, judge: Scores, rule: AgreementRule, clusters: Clusters | None = None
) -> CalibrationResult:
    """Judge a judge: ``ratings`` are raters × answers, ``judge`` has one score per answer."""
    scores = GradedScores(rank_grades(ratings), judge, rule, clusters, Source.CALIBRATION)
    agreement, reliability = judge_agreement(scores), reliability_of(ratings)
    reason = agreement.reason or _panel_reason(reliability, rule.threshold)
    if reason is not None:
        return CalibrationResult(agreement, reliability, Outcome.INSUFFICIENT, Evidence.NONE, reason)
    return CalibrationResult(agreement, reliability, agreement.outcome, agreement.evidence, None)


def _panel_reason(reliability: Reliability, threshold: float) -> Insufficiency | None:
    if reliability.raters < FEWEST_RATERS:
        return Insufficiency.TOO_FEW_RATERS
    alpha, ceiling = reliability.alpha, reliability.ceiling
    firm = alpha is not None and meets(alpha, LOWEST_ALPHA)
    roomy = ceiling is not None and meets(ceiling, threshold + ROOM_UNDER_CEILING)
    return None if firm and roomy else Insufficiency.PANEL_TOO_NOISY
