"""Agreement of a slice: reasons in their order, policies, families, and what must never pass."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.statistics.agreement import GradedScores, Source, judge_agreement, judge_agreements
from gates.statistics.policies import Evidence, Insufficiency, Outcome, Policy
from gates.statistics.rules import AgreementRule
from tests.gates.pure.samples import GRADES, ROUGH_SCORES, agreement_of, graded, related, unhurried

NAN = float("nan")


@unhurried
@given(graded(lowest=20), st.randoms(use_true_random=False))
def test_the_order_of_cases_changes_no_bit(sample: tuple[list[float], list[float]], random: object) -> None:
    rows = list(zip(*sample, [index % 7 for index in range(len(sample[0]))], strict=True))
    shuffled = rows.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    results = [
        judge_agreement(GradedScores(human, judge, AgreementRule(0.65, Policy.GUARDED), clusters))
        for human, judge, clusters in (zip(*rows, strict=True), zip(*shuffled, strict=True))
    ]
    assert results[0] == results[1]


@unhurried
@given(graded(lowest=1))
def test_a_monotone_change_of_scores_changes_no_agreement(sample: tuple[list[float], list[float]]) -> None:
    human, judge = sample
    assert agreement_of(human, judge) == agreement_of(human, [math.exp(score) + 3 for score in judge])


@unhurried
@given(graded(lowest=1))
def test_scores_turned_round_turn_the_sign(sample: tuple[list[float], list[float]]) -> None:
    human, judge = sample
    plain, turned = agreement_of(human, judge), agreement_of(human, [-score for score in judge])
    assert plain.rho is None or turned.rho == pytest.approx(-plain.rho, abs=1e-12)


@unhurried
@given(st.lists(st.tuples(st.none() | GRADES, ROUGH_SCORES), max_size=19), st.sampled_from(Policy))
def test_fewer_than_twenty_cases_never_pass_and_never_fail(
    rows: list[tuple[float | None, float | None]], policy: Policy
) -> None:
    result = agreement_of([row[0] for row in rows], [row[1] for row in rows], policy=policy)
    assert (result.outcome, result.evidence) == (Outcome.INSUFFICIENT, Evidence.NONE)
    assert result.reason is not None
    assert result.cases_needed is not None
    assert result.cases_needed >= 20


@unhurried
@given(st.lists(GRADES, min_size=20, max_size=60), st.sampled_from(Policy))
def test_a_judge_that_always_says_the_same_never_passes(human: list[float], policy: Policy) -> None:
    assert agreement_of(human, [0.1] * len(human), policy=policy).outcome is Outcome.INSUFFICIENT


def test_nineteen_cases_are_too_few_and_twenty_are_not() -> None:
    human, judge = related(20, 0.9)
    assert agreement_of(human[:19], judge[:19]).reason is Insufficiency.TOO_FEW_CASES
    assert agreement_of(human, judge).reason is None


def test_more_than_five_percent_missing_is_insufficient_and_five_is_not() -> None:
    human, judge = related(100, 0.9)
    judge[:6] = NAN
    six = agreement_of(human, judge)
    assert (six.reason, six.missing, six.cases_needed) == (Insufficiency.TOO_MANY_MISSING, 6, 95)
    judge[5] = 0.0
    assert agreement_of(human, judge).outcome is Outcome.PASS


def test_a_score_that_is_missing_is_not_taken_for_zero() -> None:
    human, judge = related(100, 0.9)
    judge[:5] = NAN
    assert agreement_of(human, judge).rho == agreement_of(human[5:], judge[5:]).rho


def test_scores_that_are_all_missing_are_named_as_missing() -> None:
    result = agreement_of([1.0, 2.0, 3.0] * 10, [None] * 30)
    assert (result.reason, result.cases_needed) == (Insufficiency.TOO_MANY_MISSING, 29)


def test_an_answer_without_a_grade_is_no_case() -> None:
    human, judge = related(60, 0.9)
    result = agreement_of([*human, None, None], [*judge, 1.0, 2.0])
    assert (result.graded, result.n, result.missing) == (60, 60, 0)


def test_constant_grades_are_named_before_constant_scores() -> None:
    assert agreement_of([3.0] * 30, [1.0] * 30).reason is Insufficiency.HUMAN_CONSTANT


def test_too_few_cases_are_named_before_too_few_off_the_mode() -> None:
    assert agreement_of([3.0] * 18 + [4.0], [float(i) for i in range(19)]).reason is Insufficiency.TOO_FEW_CASES


def test_four_cases_off_the_mode_of_either_side_are_too_few() -> None:
    mostly, spread_out = [5.0] * 36 + [1.0, 2.0, 3.0, 4.0], [float(index) for index in range(40)]
    for human, judge in ((mostly, spread_out), (spread_out, mostly)):
        result = agreement_of(human, judge)
        assert (result.reason, result.cases_needed) == (Insufficiency.TOO_FEW_OFF_MODE, 50)


def test_five_cases_off_the_mode_are_enough() -> None:
    mostly, spread_out = [5.0] * 35 + [1.0, 2.0, 3.0, 4.0, 4.5], [float(index) for index in range(40)]
    assert agreement_of(mostly, spread_out).reason is None


def test_own_grades_of_half_the_calibrations_spread_say_nothing() -> None:
    human, judge = related(200, 0.9)
    rule = AgreementRule(0.65)
    spread = float(np.std(human, ddof=1))
    narrow = judge_agreement(GradedScores(human, judge, rule, calibration_spread=2.01 * spread))
    wide = judge_agreement(GradedScores(human, judge, rule, calibration_spread=2 * spread))
    assert (narrow.outcome, narrow.reason) == (Outcome.INSUFFICIENT, Insufficiency.RANGE_TOO_NARROW)
    assert wide.outcome is Outcome.PASS


def test_the_spread_of_the_calibration_itself_is_not_compared() -> None:
    human, judge = related(200, 0.9)
    scores = GradedScores(human, judge, AgreementRule(0.65), source=Source.CALIBRATION, calibration_spread=99.0)
    assert judge_agreement(scores).reason is None


def test_a_review_says_how_many_cases_would_decide() -> None:
    human, judge = related(60, 0.5)
    result = agreement_of(human, judge, policy=Policy.GUARDED)
    assert result.outcome is Outcome.REVIEW
    assert result.cases_needed is not None
    assert result.cases_needed > 60


def test_a_rho_at_the_threshold_passes_and_no_number_of_cases_proves_it() -> None:
    human, judge = [1.0, 2.0, 3.0, 4.0, 5.0], [2.0, 1.0, 4.0, 3.0, 5.0]
    rule = AgreementRule(0.8, Policy.GUARDED, n_min=5, off_mode_min=1)
    result = judge_agreement(GradedScores(human, judge, rule))
    assert (result.rho, result.outcome, result.cases_needed) == (0.8, Outcome.REVIEW, None)


def test_documents_with_many_cases_prove_less_than_as_many_documents() -> None:
    human, judge = related(40, 0.8)
    repeated = GradedScores(np.repeat(human, 5), np.repeat(judge, 5), AgreementRule(0.65))
    documents = [index // 5 for index in range(200)]
    clustered = GradedScores(repeated.human, repeated.judge, repeated.rule, documents)
    alone, together = judge_agreement(repeated), judge_agreement(clustered)
    assert together.rho == alone.rho
    assert (together.se_z or 0) > 1.8 * (alone.se_z or 0)


def test_three_documents_prove_nothing_however_many_cases_they_hold() -> None:
    human, judge = related(300, 0.95)
    scores = GradedScores(human, judge, AgreementRule(0.5, Policy.GUARDED), [index % 3 for index in range(300)])
    result = judge_agreement(scores)
    assert (result.low, result.evidence, result.outcome) == (None, Evidence.UNPROVEN, Outcome.REVIEW)


def test_two_children_below_can_pool_to_a_parent_above() -> None:
    human, judge = related(200, 0.45)
    lifted = human + 10, judge + 10
    children = [agreement_of(human, judge), agreement_of(*lifted)]
    parent = agreement_of(np.r_[human, lifted[0]], np.r_[judge, lifted[1]])
    assert [child.outcome for child in children] == [Outcome.FAIL, Outcome.FAIL]
    assert parent.outcome is Outcome.PASS


def test_a_fail_proven_alone_may_lose_its_label_among_many_slices() -> None:
    human, judge = related(60, 0.3)
    rule = AgreementRule(0.65)
    alone = judge_agreement(GradedScores(human, judge, rule))
    good = GradedScores(*related(60, 0.95), rule)
    among = judge_agreements([GradedScores(human, judge, rule), *[good] * 40])[0]
    assert (alone.outcome, alone.evidence) == (Outcome.FAIL, Evidence.PROVEN)
    assert (among.outcome, among.evidence) == (Outcome.FAIL, Evidence.UNPROVEN)
    assert among.p == pytest.approx(41 * (alone.p or 0))


def test_slices_without_cases_stand_between_others_unharmed() -> None:
    rule = AgreementRule(0.65)
    good, empty = GradedScores(*related(60, 0.95), rule), GradedScores([], [], rule)
    outcomes = [result.outcome for result in judge_agreements([empty, good, empty, good])]
    assert outcomes == [Outcome.INSUFFICIENT, Outcome.PASS] * 2


def test_more_slices_than_a_batch_holds_keep_their_own_results() -> None:
    rule = AgreementRule(0.65)
    slices = [GradedScores(*related(9_000, strength), rule) for strength in (0.2, 0.5, 0.9, 0.1, 0.8)]
    together = [result.rho for result in judge_agreements(slices)]
    assert together == [judge_agreement(scores).rho for scores in slices]


def test_grades_and_scores_of_different_number_are_refused() -> None:
    with pytest.raises(ValueError, match="one of each per graded answer"):
        agreement_of([1.0, 2.0], [1.0])


@pytest.mark.parametrize("threshold", [0.0, -0.1, 0.951, 1.0, NAN])
def test_a_threshold_outside_its_range_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match="choose one inside"):
        AgreementRule(threshold)


def test_a_minimum_of_no_cases_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        AgreementRule(0.65, n_min=0)
