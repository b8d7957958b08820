"""Mean calibrated quality against its floor."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gates.statistics.policies import Evidence, Insufficiency, Outcome, Policy
from gates.statistics.quality import judge_quality
from gates.statistics.rules import Floor, FloorSource, QualityRule, floor_of
from tests.gates.pure.samples import quality_rule, unhurried

UNIT = st.floats(0, 1)
SAMPLE = np.random.default_rng(11).uniform(0.5, 1.0, size=60)


def test_the_interval_is_students() -> None:
    result = judge_quality(SAMPLE, quality_rule(0.6))
    known = stats.t.interval(0.90, 59, SAMPLE.mean(), SAMPLE.std(ddof=1) / np.sqrt(60))
    assert (result.low, result.high) == pytest.approx(known)
    assert result.p_above == pytest.approx(stats.ttest_1samp(SAMPLE, 0.6, alternative="greater").pvalue)


def test_the_interval_stays_on_the_scale() -> None:
    result = judge_quality([1.0] * 19 + [0.0], quality_rule(0.5))
    assert result.high == 1.0


def test_a_perfect_release_is_not_insufficient_for_its_constancy() -> None:
    result = judge_quality([1.0] * 20, quality_rule(0.9, Policy.CONFIDENT))
    assert (result.outcome, result.evidence, result.reason) == (Outcome.PASS, Evidence.PROVEN, None)


@pytest.mark.parametrize("policy", list(Policy))
def test_a_constant_quality_at_its_floor_passes(policy: Policy) -> None:
    assert judge_quality([0.7] * 37, quality_rule(0.7, policy)).outcome is Outcome.PASS


@pytest.mark.parametrize("policy", list(Policy))
def test_a_constant_quality_under_its_floor_fails(policy: Policy) -> None:
    result = judge_quality([0.69] * 37, quality_rule(0.7, policy))
    assert (result.outcome, result.evidence) == (Outcome.FAIL, Evidence.PROVEN)


def test_a_floor_inside_the_interval_is_left_to_the_policy() -> None:
    floor = float(SAMPLE.mean()) - 0.001
    outcomes = [judge_quality(SAMPLE, quality_rule(floor, policy)).outcome for policy in Policy]
    assert outcomes == [Outcome.PASS, Outcome.REVIEW, Outcome.INSUFFICIENT]


def test_an_open_question_says_how_many_cases_would_settle_it() -> None:
    result = judge_quality(SAMPLE, quality_rule(float(SAMPLE.mean()) - 0.01, Policy.GUARDED))
    deviation = SAMPLE.std(ddof=1)
    assert result.cases_needed == math.ceil(((1.6448536 + 0.8416212) * deviation / 0.01) ** 2)


def test_a_single_score_says_no_number_of_cases() -> None:
    result = judge_quality([0.7], quality_rule(0.6, Policy.GUARDED, n_min=1))
    assert (result.outcome, result.evidence, result.cases_needed) == (Outcome.REVIEW, Evidence.UNPROVEN, None)


def test_without_a_floor_nothing_is_decided() -> None:
    assert judge_quality(SAMPLE, quality_rule(None)).reason is Insufficiency.NO_FLOOR


def test_no_scores_at_all_are_named_first() -> None:
    assert judge_quality([], quality_rule(None)).reason is Insufficiency.NO_CASES


def test_six_percent_missing_are_insufficient_and_five_are_not() -> None:
    rule = quality_rule(0.5)
    assert judge_quality([1.0] * 94 + [None] * 6, rule).reason is Insufficiency.TOO_MANY_MISSING
    assert judge_quality([1.0] * 95 + [None] * 5, rule).outcome is Outcome.PASS


@unhurried
@given(st.lists(st.none() | UNIT, max_size=19), UNIT, st.sampled_from(Policy))
def test_fewer_than_twenty_scores_never_pass(scores: list[float | None], floor: float, policy: Policy) -> None:
    assert judge_quality(scores, quality_rule(floor, policy)).outcome is Outcome.INSUFFICIENT


@unhurried
@given(st.lists(UNIT, min_size=1, max_size=50), UNIT, st.randoms(use_true_random=False))
def test_the_order_of_cases_changes_no_bit(scores: list[float], floor: float, random: object) -> None:
    shuffled = scores.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    rule = quality_rule(floor, Policy.GUARDED, n_min=1)
    assert judge_quality(scores, rule) == judge_quality(shuffled, rule)


def test_cases_of_one_document_prove_less() -> None:
    repeated, documents = np.repeat(SAMPLE, 4), [index // 4 for index in range(240)]
    plain, clustered = (judge_quality(repeated, quality_rule(0.6), names) for names in (None, documents))
    alone = judge_quality(SAMPLE, quality_rule(0.6))
    assert clustered.low == pytest.approx(alone.low)
    assert (plain.low or 0) > (clustered.low or 0)


def test_a_score_outside_the_scale_is_refused() -> None:
    with pytest.raises(ValueError, match="map the judge's scores first"):
        judge_quality([1.2] * 30, quality_rule(0.5))


def test_a_floor_outside_the_scale_is_refused() -> None:
    with pytest.raises(ValueError, match="calibrated scale"):
        QualityRule(Floor(82.0, FloorSource.OWNER))


def test_the_owners_floor_goes_before_the_previous_level() -> None:
    assert floor_of(owner=0.8, previous_mean=0.9) == Floor(0.8, FloorSource.OWNER)


def test_the_previous_level_less_five_points_is_met_by_a_drop_of_exactly_five() -> None:
    floor = floor_of(owner=None, previous_mean=0.75)
    assert floor.source is FloorSource.PREVIOUS
    assert judge_quality([0.6, 0.8] * 20, QualityRule(floor)).outcome is Outcome.PASS


def test_a_cold_start_has_no_floor() -> None:
    assert floor_of(owner=None, previous_mean=None) == Floor(None, FloorSource.NONE)
