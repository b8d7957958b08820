"""Comparison with the previous release: paired tests, movements, single cases, the change verdict."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gates.statistics.change import ChangeMaterial, judge_changes
from gates.statistics.paired import Graded, Movement, movements, paired_agreement, paired_level
from gates.statistics.policies import Evidence, Insufficiency, Outcome
from gates.statistics.regression import (
    CaseOutcome,
    CasePair,
    FreshScores,
    flagged_cases,
    judge_cases,
    rescores_needed,
)
from tests.gates.pure.samples import related, unhurried

RNG = np.random.default_rng(23)
OLD = RNG.uniform(0.4, 0.9, size=80)
NOISE = RNG.normal(0, 0.05, size=80)
PAIRS = st.lists(st.tuples(st.none() | st.floats(0, 1), st.none() | st.floats(0, 1)), max_size=30)


def test_the_level_is_students_paired_test() -> None:
    test = paired_level(OLD + NOISE - 0.02, OLD)
    known = stats.ttest_rel(OLD + NOISE - 0.02, OLD, alternative="less")
    assert (test.statistic, test.p_drop) == pytest.approx((known.statistic, known.pvalue))


def test_cases_without_both_scores_are_left_out() -> None:
    assert paired_level([0.5, None, 0.7, 0.8], [0.5, 0.6, float("nan"), 0.7]).n == 2


def test_a_uniformly_worse_release_dropped_although_its_ranks_are_perfect() -> None:
    result = judge_changes([ChangeMaterial(paired_level(OLD - 0.1, OLD))])[0]
    assert (result.movement, result.outcome, result.evidence) == (Movement.DROPPED, Outcome.FAIL, Evidence.PROVEN)


def test_a_uniformly_better_release_improved() -> None:
    result = judge_changes([ChangeMaterial(paired_level(OLD + 0.05, OLD))])[0]
    assert (result.movement, result.outcome, result.evidence) == (Movement.IMPROVED, Outcome.PASS, Evidence.PROVEN)


def test_the_same_scores_are_the_same() -> None:
    result = judge_changes([ChangeMaterial(paired_level(OLD, OLD))])[0]
    assert (result.movement, result.outcome) == (Movement.SAME, Outcome.PASS)


def test_noise_is_no_proven_change() -> None:
    assert movements([paired_level(OLD + NOISE, OLD)]) == [Movement.NO_PROVEN_CHANGE]


def test_a_drop_proven_alone_is_not_proven_among_many_slices() -> None:
    drop = paired_level(OLD + NOISE - NOISE.mean() - 0.012, OLD)
    still = paired_level(OLD, OLD)
    assert movements([drop]) == [Movement.DROPPED]
    assert movements([drop, *[still] * 30])[0] is Movement.NO_PROVEN_CHANGE


def test_agreement_that_went_from_perfect_to_none_dropped() -> None:
    human, judge = related(60, 0.6)
    assert movements([paired_agreement(Graded(human, judge), Graded(human, human))]) == [Movement.DROPPED]


def test_the_same_agreement_of_two_perfect_judges_is_the_same() -> None:
    human, _ = related(60, 0.6)
    assert movements([paired_agreement(Graded(human, human), Graded(human, human * 2))]) == [Movement.SAME]


def test_ranks_turned_round_dropped_although_neither_has_an_error() -> None:
    human, _ = related(60, 0.6)
    assert movements([paired_agreement(Graded(human, -human), Graded(human, human))]) == [Movement.DROPPED]


def test_each_release_is_held_against_the_grades_of_its_own_answers() -> None:
    human, judge = related(60, 0.6)
    other = human[::-1]
    test = paired_agreement(Graded(human, judge), Graded(other, judge[::-1]))
    assert test.new == pytest.approx(test.old)
    assert test.difference == pytest.approx(0.0, abs=1e-12)


def test_a_constant_judge_leaves_agreement_untested() -> None:
    human, judge = related(60, 0.6)
    assert movements([paired_agreement(Graded(human, np.ones(60)), Graded(human, judge))]) == [None]


@unhurried
@given(PAIRS)
def test_few_common_cases_never_pass_unless_there_are_enough(pairs: list[tuple[float | None, float | None]]) -> None:
    level = paired_level([new for new, _ in pairs], [old for _, old in pairs])
    result = judge_changes([ChangeMaterial(level)])[0]
    assert (result.outcome is Outcome.INSUFFICIENT) == (level.n < 20)


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_hardly_any_answers_give_no_agreement_to_compare(count: int) -> None:
    human, judge = related(60, 0.6)
    few = Graded(human[:count], judge[:count])
    assert paired_agreement(few, few).p_drop is None


def test_no_previous_release_is_a_cold_start() -> None:
    result = judge_changes([ChangeMaterial(None)])[0]
    assert (result.outcome, result.reason) == (Outcome.INSUFFICIENT, Insufficiency.COLD_START)


def test_nineteen_common_cases_are_too_few() -> None:
    result = judge_changes([ChangeMaterial(paired_level(OLD[:19], OLD[:19]))])[0]
    assert (result.reason, result.cases_needed) == (Insufficiency.TOO_FEW_CASES, 20)


def test_a_drop_in_agreement_alone_asks_for_a_review() -> None:
    human, judge = related(80, 0.6)
    dropped = paired_agreement(Graded(human, judge), Graded(human, human))
    result = judge_changes([ChangeMaterial(paired_level(OLD, OLD), dropped)])[0]
    assert (result.agreement_movement, result.outcome) == (Movement.DROPPED, Outcome.REVIEW)


def test_three_scores_are_enough_for_two_hundred_cases_at_three_points() -> None:
    assert rescores_needed(cases=200, rescore_deviation=1.0, limit=3.0) == 3


def test_a_judge_that_never_wavers_is_asked_once_more() -> None:
    assert rescores_needed(cases=200, rescore_deviation=0.0, limit=3.0) == 1


def test_a_limit_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="raise the limit"):
        rescores_needed(cases=1, rescore_deviation=1.0, limit=0.0)


def test_fresh_means_of_that_many_scores_rarely_flag_an_unchanged_case() -> None:
    rng, rounds, cases = np.random.default_rng(5), 400, 200
    m = rescores_needed(cases=cases, rescore_deviation=1.0, limit=3.0)
    drops = rng.normal(size=(rounds, cases, m, 2)).mean(axis=2)
    flagged = (drops[..., 0] - drops[..., 1] > 3.0).any(axis=1)
    assert flagged.mean() < 0.05


PAIR = CasePair("c", new=0.50, old=0.60)
LIMIT = 0.03


def _judged(pair: CasePair, fresh: FreshScores | None = None, allowed: tuple[str, ...] = ()) -> CaseOutcome:
    return judge_cases([pair], LIMIT, fresh={} if fresh is None else {"c": fresh}, allowed=allowed)[0].outcome


def test_a_drop_of_exactly_the_limit_is_no_regression() -> None:
    pair = CasePair("c", new=0.57, old=0.60)
    assert flagged_cases([pair], LIMIT) == []
    assert _judged(pair) is CaseOutcome.HELD


def test_a_flagged_case_without_fresh_scores_is_unconfirmed() -> None:
    assert flagged_cases([PAIR], LIMIT) == ["c"]
    assert _judged(PAIR) is CaseOutcome.FLAGGED_UNCONFIRMED


def test_fresh_scores_decide_and_the_first_ones_do_not() -> None:
    assert _judged(PAIR, FreshScores([0.59, 0.61], [0.60, 0.62])) is CaseOutcome.CLEARED
    assert _judged(PAIR, FreshScores([0.50, 0.52], [0.60, 0.62])) is CaseOutcome.REGRESSED


def test_fresh_scores_that_are_no_numbers_confirm_nothing() -> None:
    assert _judged(PAIR, FreshScores([float("nan")], [0.6])) is CaseOutcome.FLAGGED_UNCONFIRMED


def test_the_allowlist_tolerates_a_regression() -> None:
    assert _judged(PAIR, FreshScores([0.5], [0.6]), allowed=("c",)) is CaseOutcome.TOLERATED


def test_a_case_with_one_score_is_not_compared() -> None:
    assert _judged(CasePair("c", None, 0.6)) is CaseOutcome.NOT_COMPARED
    assert _judged(CasePair("c", float("nan"), 0.6)) is CaseOutcome.NOT_COMPARED


@pytest.mark.parametrize(
    ("fresh", "allowed", "outcome"),
    [
        ({"c": FreshScores([0.5], [0.6])}, (), Outcome.FAIL),
        ({}, (), Outcome.REVIEW),
        ({"c": FreshScores([0.6], [0.6])}, (), Outcome.PASS),
        ({"c": FreshScores([0.5], [0.6])}, ("c",), Outcome.PASS),
    ],
)
def test_a_single_case_can_stop_a_slice_whose_level_held(
    fresh: dict[str, FreshScores], allowed: tuple[str, ...], outcome: Outcome
) -> None:
    cases = tuple(judge_cases([PAIR], LIMIT, fresh=fresh, allowed=allowed))
    assert judge_changes([ChangeMaterial(paired_level(OLD, OLD), cases=cases)])[0].outcome is outcome
