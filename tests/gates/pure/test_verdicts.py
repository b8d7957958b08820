"""From results to the verdict of a slice and of a run, and the sentences that everybody reads."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.statistics.agreement import GradedScores, judge_agreements
from gates.statistics.calibration import calibrate, calibration_rule
from gates.statistics.change import ChangeMaterial, judge_changes
from gates.statistics.paired import paired_level
from gates.statistics.policies import Evidence, Outcome, Policy
from gates.statistics.quality import judge_quality
from gates.statistics.regression import CasePair, FreshScores, judge_cases
from gates.statistics.rules import AgreementRule
from gates.verdicts import (
    WORST_FIRST,
    GateOutcome,
    SliceVerdict,
    Verdict,
    agreement_verdict,
    calibration_verdict,
    change_verdict,
    gate_verdict,
    missing_slice,
    quality_verdict,
    slice_verdict,
)
from tests.gates.pure.samples import agreement_of, quality_rule, related, unhurried

OUTCOMES = st.sampled_from(Outcome)


def _verdict(outcome: Outcome, evidence: Evidence = Evidence.UNPROVEN) -> Verdict:
    return Verdict(outcome, evidence, (f"It is {outcome}.",))


def _slice(name: str, *outcomes: Outcome) -> SliceVerdict:
    agreement, quality, change = (_verdict(outcome) for outcome in outcomes)
    return slice_verdict(name, agreement=agreement, quality=quality, change=change)


def _same(name: str, outcome: Outcome) -> SliceVerdict:
    return _slice(name, outcome, Outcome.PASS, Outcome.PASS)


@pytest.mark.parametrize("outcomes", list(itertools.product(Outcome, repeat=3)))
def test_a_slice_is_as_good_as_its_worst_answer(outcomes: tuple[Outcome, ...]) -> None:
    known = next(outcome for outcome in WORST_FIRST if outcome in outcomes)
    assert _slice("any", *outcomes).outcome is known


def test_the_order_of_severity_is_fail_insufficient_review_pass() -> None:
    assert list(WORST_FIRST) == ["fail", "insufficient", "review", "pass"]


def test_a_slices_reasons_begin_with_the_worst() -> None:
    found = _slice("any", Outcome.PASS, Outcome.FAIL, Outcome.REVIEW)
    assert [reason.split(":")[0] for reason in found.reasons] == ["Quality", "Change", "Agreement"]
    assert found.stopping == ("Quality: It is fail.", "Change: It is review.")


def test_a_pass_is_proven_only_if_agreement_and_quality_are() -> None:
    proven, unproven = (_verdict(Outcome.PASS, evidence) for evidence in (Evidence.PROVEN, Evidence.UNPROVEN))
    assert slice_verdict("a", agreement=proven, quality=proven, change=unproven).evidence is Evidence.PROVEN
    assert slice_verdict("a", agreement=proven, quality=unproven, change=proven).evidence is Evidence.UNPROVEN


def test_a_fail_is_proven_by_the_answer_that_fails() -> None:
    failed, passed = _verdict(Outcome.FAIL), _verdict(Outcome.PASS, Evidence.PROVEN)
    assert slice_verdict("a", agreement=passed, quality=failed, change=passed).evidence is Evidence.UNPROVEN


@unhurried
@given(st.lists(OUTCOMES, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_one_bad_slice_stops_a_run_whatever_the_others_are(outcomes: list[Outcome], random: object) -> None:
    slices = [_same(f"s{index}", outcome) for index, outcome in enumerate(outcomes)]
    names = [each.slice for each in slices]
    known = gate_verdict(slices=slices, expected=names)
    random.shuffle(slices)  # type: ignore[attr-defined]
    assert gate_verdict(slices=slices, expected=names) == known
    assert (known.outcome is GateOutcome.FAIL) == (Outcome.FAIL in outcomes)
    assert (known.outcome is GateOutcome.PASS) == (set(outcomes) == {Outcome.PASS})


def test_a_missing_slice_holds_the_run_and_says_so() -> None:
    found = gate_verdict(slices=[_same("here", Outcome.PASS)], expected=["here", "missing"])
    assert found.outcome is GateOutcome.HOLD
    assert found.slices[0] == missing_slice("missing")
    assert found.reasons == (
        "missing: The run has no results for this slice: send them, or take its threshold away in a new revision.",
    )


def test_a_run_that_judged_nothing_does_not_pass() -> None:
    assert gate_verdict(slices=[], expected=[]).outcome is GateOutcome.HOLD


def test_a_run_that_judged_nothing_can_still_fail() -> None:
    found = gate_verdict(slices=[], expected=[], conditions={"tokens": _verdict(Outcome.FAIL)})
    assert found.outcome is GateOutcome.FAIL


@pytest.mark.parametrize(
    ("outcome", "gate"),
    [(Outcome.PASS, GateOutcome.PASS), (Outcome.REVIEW, GateOutcome.HOLD), (Outcome.FAIL, GateOutcome.FAIL)],
)
def test_a_condition_beside_the_slices_counts(outcome: Outcome, gate: GateOutcome) -> None:
    found = gate_verdict(slices=[_same("a", Outcome.PASS)], expected=["a"], conditions={"latency": _verdict(outcome)})
    assert found.outcome is gate


@pytest.mark.parametrize("slices", [["a", "a"], ["a", "unknown"]])
def test_a_slice_judged_twice_or_unasked_is_refused(slices: list[str]) -> None:
    with pytest.raises(ValueError, match="judge each expected slice once"):
        gate_verdict(slices=[_same(name, Outcome.PASS) for name in slices], expected=["a"])


def test_a_run_that_passes_says_how_much_of_it_is_proven() -> None:
    found = gate_verdict(slices=[_same("a", Outcome.PASS), _same("b", Outcome.PASS)], expected=["a", "b"])
    assert found.reasons == ("2 slices pass, 0 of them proven.",)


def test_a_fail_says_by_how_much_and_how_sure() -> None:
    human, judge = related(84, 0.3)
    verdict = agreement_verdict(agreement_of(human, judge))
    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons == (
        (
            "Agreement of judge and experts is 0.12, 0.53 below the threshold of 0.65 "
            "(84 graded answers, 90 % interval \N{MINUS SIGN}0.07 to 0.29)."
        ),
        "The whole interval lies on that side of the threshold, so this is proven (p < 0.001).",
    )


def test_a_fail_that_would_round_to_its_threshold_does_not_read_as_a_pass() -> None:
    human, judge = related(200, 0.5)
    rho = agreement_of(human, judge).rho or 0.0
    verdict = agreement_verdict(agreement_of(human, judge, threshold=rho + 1e-5))
    assert verdict.outcome is Outcome.FAIL
    assert ", 0.00001 below the threshold of 0.653 " in verdict.reasons[0]


def test_a_fail_that_chance_among_many_slices_explains_says_so() -> None:
    rule = AgreementRule(0.65)
    slices = [GradedScores(*related(60, 0.3), rule), *[GradedScores(*related(60, 0.95), rule)] * 40]
    verdict = agreement_verdict(judge_agreements(slices)[0])
    assert verdict.reasons[1].startswith("Among this many slices one such result can be chance")


def test_a_review_names_who_decides_and_what_would() -> None:
    verdict = agreement_verdict(agreement_of(*related(60, 0.5), policy=Policy.GUARDED))
    assert verdict.reasons[-1].startswith("A named person has to sign for it; about ")


@pytest.mark.parametrize(
    ("human", "judge", "words"),
    [
        ([], [], "No answer in this slice has a human grade: 20 are needed."),
        ([3.0] * 30, range(30), "The human grades of 30 answers do not vary"),
        (range(30), [3.0] * 30, "The judge scores of 30 answers do not vary"),
        (range(19), range(19), "19 graded answers cannot be judged: 20 are needed."),
        ([*[5.0] * 30, 1.0], range(31), "Fewer than 5 of 31 cases differ from the most frequent grade or score"),
        (range(100), [None] * 6 + [*range(94)], "Only 94.00 % of the judge's scores are there (6 of 100 are missing)"),
    ],
)
def test_what_cannot_be_judged_says_why_and_how_many_cases_are_needed(
    human: list[float], judge: list[float], words: str
) -> None:
    verdict = agreement_verdict(agreement_of(list(human), list(judge)))
    assert verdict.outcome is Outcome.INSUFFICIENT
    assert verdict.reasons[0].startswith(words)
    assert "needed" in verdict.reasons[0]


def test_quality_says_whose_floor_it_is() -> None:
    verdict = quality_verdict(judge_quality([0.9, 0.7] * 20, quality_rule(0.82)))
    assert verdict.reasons[0] == (
        "Mean quality is 0.80, 0.02 below the floor of 0.82, set by the slice's owner "
        "(40 answers, 90 % interval 0.77 to 0.83)."
    )


def test_quality_without_a_floor_asks_for_one() -> None:
    verdict = quality_verdict(judge_quality([0.9] * 20, quality_rule(None)))
    assert verdict.reasons == (
        "There is no level of a previous release to take a floor from: set a quality floor for this slice.",
    )


def test_change_says_what_fell_and_that_it_was_not_chance() -> None:
    old = np.linspace(0.5, 0.9, 40)
    result = judge_changes([ChangeMaterial(paired_level(old - 0.1, old))])[0]
    assert change_verdict(result).reasons == (
        "Quality fell by 0.10 on the same 40 cases, from 0.70 to 0.60: not chance (p < 0.001).",
    )


def test_change_names_the_worst_single_case() -> None:
    old = np.linspace(0.5, 0.9, 40)
    pairs = [CasePair("mild", 0.5, 0.6), CasePair("grave", 0.1, 0.6), CasePair("b", 0.2, 0.6)]
    fresh = {"mild": FreshScores([0.5], [0.6]), "grave": FreshScores([0.1], [0.6])}
    material = ChangeMaterial(paired_level(old, old), cases=tuple(judge_cases(pairs, 0.03, fresh=fresh)))
    assert change_verdict(judge_changes([material])[0]).reasons == (
        "Cases that dropped by more than the limit, confirmed by fresh scores: 2, the worst grave by 0.50 points.",
        "Cases that seem to have dropped by more than the limit and await fresh scores: 1, the worst b by 0.40 points.",
        "Quality is the same on the same 40 cases.",
    )


def test_a_cold_start_says_so() -> None:
    verdict = change_verdict(judge_changes([ChangeMaterial(None)])[0])
    assert verdict.reasons == ("There is no previous release to compare with (cold start).",)


def test_a_calibration_says_what_share_of_the_human_ceiling_is_reached() -> None:
    human, judge = related(120, 0.9)
    result = calibrate(np.stack([human, human]), judge, calibration_rule(0.65))
    assert calibration_verdict(result).reasons[-1].endswith("% of the human ceiling 1.00.")
    assert "earlier answers" in calibration_verdict(result).reasons[0]
