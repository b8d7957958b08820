"""A verdict as the document that page, API, scorecard, report and receipt show (api.md "Shapes").

Pure. Numbers keep their full precision here; `without_floats` writes them as decimals for receipts and digests.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from audit.statement import DecisionInput
from gates.runs.conditions import NOT_MEASURED, Floor, Limit
from gates.runs.digests import shown_number
from gates.runs.judging import SliceJudgment, SliceRule
from gates.runs.material import grades_of, scores_of
from gates.statistics.agreement import GradedScores, Source, judge_agreement
from gates.statistics.limits import meets
from gates.statistics.paired import PairedTest
from gates.statistics.policies import Outcome
from gates.statistics.regression import CaseOutcome, CaseRegression
from gates.statistics.rules import AgreementRule
from gates.verdicts import WORST_FIRST, GateVerdict, SliceVerdict, Verdict

FLAGGED_LISTED: Final = 200
INPUTS_LISTED: Final = 300
USUAL_THRESHOLD: Final = 0.65
FLAGGED: Final = frozenset({CaseOutcome.REGRESSED, CaseOutcome.FLAGGED_UNCONFIRMED, CaseOutcome.TOLERATED})


def run_document(
    *,
    verdict: GateVerdict,
    rules: Mapping[str, SliceRule],
    judgments: Mapping[str, SliceJudgment],
    previous: Mapping[str, float | None],
    floors: Sequence[Floor],
    limits: Sequence[Limit],
    parity: str,
    cases: tuple[int, int],
) -> dict[str, Any]:
    """The whole.

    `rules`, `judgments` and `previous` (agreement of the previous release) are by the label that the verdict uses;
    `cases` are how many have no score, of how many.
    """
    slices = [
        slice_document(each, rules[each.slice], judgments.get(each.slice), previous.get(each.slice))
        for each in verdict.slices
    ]
    flagged = flagged_cases(judgments.values())
    return {
        "verdict": str(verdict.outcome),
        "reasons": list(verdict.reasons),
        "parity": parity,
        "aggregate": _aggregate(judgments.values()),
        "slices": slices,
        "cases": {
            "flagged": flagged[:FLAGGED_LISTED],
            "flagged_count": len(flagged),
            "missing": cases[0],
            "of": cases[1],
        },
        "floors": [_floor(floor) for floor in floors],
        "limits": [_limit(limit) for limit in limits],
    }


def slice_document(
    verdict: SliceVerdict, rule: SliceRule, judgment: SliceJudgment | None, previous_rho: float | None
) -> dict[str, Any]:
    """One slice; the three questions are null where the run has nothing of it."""
    head = {
        "slice": rule.slug,
        "name": rule.name,
        "judge": rule.judge,
        "verdict": str(verdict.outcome),
        "evidence": str(verdict.evidence),
        "cases": len(judgment.material.cases) if judgment else 0,
        "reasons": list(verdict.reasons),
    }
    if judgment is None or not verdict.answers:
        return head | {"agreement": None, "quality": None, "change": None}
    answers = verdict.answers
    return head | {
        "agreement": _agreement(judgment, answers["agreement"], previous_rho),
        "quality": _quality(judgment, answers["quality"]),
        "change": _change(judgment, answers["change"]),
    }


def own_threshold_sentence(judgment: SliceJudgment) -> tuple[str, ...]:
    """Say so where a slice passes only because its own threshold is lower than the usual one."""
    rho, threshold = judgment.agreement.rho, judgment.rule.threshold
    if judgment.agreement.outcome is not Outcome.PASS or rho is None or meets(rho, USUAL_THRESHOLD):
        return ()
    return (f"Its own threshold is {threshold:.2f}; at the usual {USUAL_THRESHOLD:.2f} it would fail.",)


def _agreement(judgment: SliceJudgment, verdict: Verdict, previous_rho: float | None) -> dict[str, Any]:
    result, reliability = judgment.agreement, judgment.reliability
    has_any = result.graded > 0
    earlier = judgment.material.calibration if judgment.is_calibration else None
    if earlier:
        previous_rho = None  # earlier answers' agreement is no release's own, so there is nothing to compare
    change = None if result.rho is None or previous_rho is None else result.rho - previous_rho
    return {
        "source": str(result.source) if has_any else "none",
        "n": result.n,
        "graded": result.graded,
        "rho": result.rho,
        "ci90": _interval(result.low, result.high),
        "threshold": result.rule.threshold,
        "policy": str(result.rule.policy),
        "verdict": str(verdict.outcome),
        "evidence": str(verdict.evidence),
        "p": result.p,
        "reason": _word(
            judgment.calibration.reason if judgment.is_calibration and judgment.calibration else result.reason
        ),
        "cases_needed": result.cases_needed,
        "previous_rho": previous_rho,
        "change": change,
        "ceiling": reliability.ceiling if reliability else None,
        "alpha": reliability.alpha if reliability else None,
        "raters": reliability.raters if reliability else (1 if has_any else 0),
        "age_days": earlier.age_days if earlier else None,
        "calibration": (earlier.measurement or None) if earlier else None,
        "reasons": list(verdict.reasons),
    }


def _quality(judgment: SliceJudgment, verdict: Verdict) -> dict[str, Any]:
    result = judgment.quality
    return {
        "n": result.n,
        "mean": result.mean,
        "ci90": _interval(result.low, result.high),
        "floor": result.rule.floor.value,
        "floor_source": str(result.rule.floor.source),
        "map": judgment.map,
        "calibrated": judgment.map != "linear",
        "verdict": str(verdict.outcome),
        "evidence": str(verdict.evidence),
        "p": result.p,
        "reason": _word(result.reason),
        "cases_needed": result.cases_needed,
        "reasons": list(verdict.reasons),
    }


def _change(judgment: SliceJudgment, verdict: Verdict) -> dict[str, Any]:
    result = judgment.change
    level: PairedTest | None = result.material.level
    return {
        "n": level.n if level else 0,
        "mean_difference": level.difference if level else None,
        "ci90": _interval(level.low, level.high) if level else None,
        "p": level.p_drop if level else None,
        "movement": _word(result.movement),
        "agreement_movement": _word(result.agreement_movement),
        "verdict": str(verdict.outcome),
        "evidence": str(verdict.evidence),
        "reason": _word(result.reason),
        "cases_needed": result.cases_needed,
        "flagged": sum(case.outcome in FLAGGED for case in judgment.regressions),
        "reasons": list(verdict.reasons),
    }


def _interval(low: float | None, high: float | None) -> list[float] | None:
    return None if low is None or high is None else [low, high]


def _word(value: object) -> str | None:
    return None if value is None else str(value)


def flagged_cases(judgments: Any) -> list[dict[str, Any]]:
    """The cases that dropped by more than the limit, largest drop first; a case in several slices stands once."""
    found: dict[str, dict[str, Any]] = {}
    for judgment in judgments:
        rows = zip(
            judgment.material.cases, judgment.pairs, judgment.regressions, strict=False
        )  # none without a previous
        for case, pair, regression in rows:
            if regression.outcome in FLAGGED and case.case_id not in found:
                found[case.case_id] = _flagged(regression, case.slice, pair.new, pair.old)
    return sorted(found.values(), key=lambda case: (-case["drop"], case["case_id"]))


def _flagged(case: CaseRegression, slug: str, new: float | None, old: float | None) -> dict[str, Any]:
    return {
        "case_id": case.case_id,
        "slice": slug,
        "score": new,
        "previous_score": old,
        "drop": case.drop,
        "state": str(case.outcome),
        "allowlisted": case.outcome is CaseOutcome.TOLERATED,
    }


def _aggregate(judgments: Any) -> dict[str, Any]:
    """What a single number would have said: shown, and read by nothing."""
    graded = {}
    for judgment in judgments:
        for answer in judgment.material.graded:
            graded[answer.case_id, answer.answer_id] = answer
    answers = [graded[key] for key in sorted(graded)]
    pooled = None
    if answers:
        scores = GradedScores(
            grades_of(answers).levels, scores_of(answers), AgreementRule(USUAL_THRESHOLD), source=Source.OWN
        )
        pooled = judge_agreement(scores)
    rhos = [judgment.agreement.rho for judgment in judgments if judgment.agreement.rho is not None]
    return {
        "n": pooled.n if pooled else 0,
        "rho": pooled.rho if pooled else None,
        "mean_of_slices": float(np.mean(sorted(rhos))) if rhos else None,
    }


def _floor(floor: Floor) -> dict[str, Any]:
    return {
        "metric": floor.metric,
        "value": floor.value,
        "floor": floor.floor,
        "n": floor.n,
        "verdict": str(floor.verdict.outcome),
        "reasons": list(floor.verdict.reasons),
    }


def _limit(limit: Limit) -> dict[str, Any]:
    return {
        "metric": limit.metric,
        "value": limit.value,
        "limit": limit.limit,
        "previous": limit.previous,
        "verdict": str(limit.verdict.outcome) if limit.verdict else NOT_MEASURED,
        "reasons": list(limit.reasons),
    }


def decision_inputs(document: Mapping[str, Any]) -> list[DecisionInput]:
    """What a receipt lists: each measured value against its limit, worst first, bounded."""
    inputs = [entry for each in document["slices"] for entry in _slice_inputs(each)]
    inputs += [_input(floor["metric"], floor, "value", "floor", ">=") for floor in document["floors"]]
    inputs += [_input(limit["metric"], limit, "value", "limit", "<=") for limit in document["limits"]]
    order = [*map(str, WORST_FIRST), NOT_MEASURED]
    return sorted(inputs, key=lambda entry: order.index(entry.verdict))[:INPUTS_LISTED]


def _slice_inputs(each: Mapping[str, Any]) -> list[DecisionInput]:
    if each["agreement"] is None:
        return [DecisionInput(metric="agreement", slice=each["slice"], verdict=each["verdict"], evidence="none", n=0)]
    return [
        _input("agreement", each["agreement"], "rho", "threshold", ">=", each["slice"]),
        _input("quality", each["quality"], "mean", "floor", ">=", each["slice"]),
        _input("change", each["change"], "mean_difference", None, None, each["slice"]),
    ]


def _input(
    metric: str, measured: Mapping[str, Any], value: str, limit: str | None, op: str | None, of: str | None = None
) -> DecisionInput:
    bound = None if limit is None else measured[limit]
    return DecisionInput(
        metric=metric,
        slice=of,
        value=_text(measured[value]),
        threshold=_text(bound),
        op=None if bound is None else op,
        verdict=measured["verdict"],
        evidence=measured.get("evidence"),
        n=measured.get("n"),
    )


def _text(value: float | None) -> str | None:
    return None if value is None else shown_number(value)
