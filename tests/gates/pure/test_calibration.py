"""Panels, their reliability, maps to the human scale, and whether a judge may decide."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gates.statistics.calibration import calibrate, calibration_rule
from gates.statistics.panel import Ratings, as_ratings, mean_grades, rank_grades
from gates.statistics.policies import Insufficiency, Outcome
from gates.statistics.reliability import (
    intraclass_correlations,
    krippendorff_alpha,
    leave_one_out,
    reliability_of,
)
from gates.statistics.scales import Aggregation, IsotonicMap, LinearMap, aggregate_draws, fit_isotonic, held_out_error
from tests.gates.pure.samples import SCORES, graded, unhurried

NAN = float("nan")


def _panel(raters: int = 3, answers: int = 120, noise: float = 0.4, seed: int = 2) -> tuple[Ratings, Ratings]:
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=answers)
    return truth, np.clip(np.round(3 + truth + rng.normal(0, noise, (raters, answers))), 1, 5)


def _plain_alpha(ratings: Ratings) -> float:
    """Return ordinal α by Krippendorff's coincidence matrix."""
    values = np.unique(ratings[~np.isnan(ratings)])
    units = [column[~np.isnan(column)] for column in ratings.T]
    coincidences = np.zeros((len(values), len(values)))
    for unit in (unit for unit in units if len(unit) > 1):
        counts = (unit[:, None] == values).sum(axis=0)
        coincidences += (np.outer(counts, counts) - np.diag(counts)) / (len(unit) - 1)
    totals = coincidences.sum(axis=0)
    between = np.cumsum(totals) - totals / 2
    distance = (between[:, None] - between[None, :]) ** 2
    n = totals.sum()
    chance = np.outer(totals, totals) - np.diag(totals)
    return float(1 - (n - 1) * (coincidences * distance).sum() / (chance * distance).sum())


def test_alpha_is_that_of_the_coincidence_matrix() -> None:
    _, ratings = _panel(4)
    ratings[np.random.default_rng(9).random(ratings.shape) < 0.3] = NAN
    assert krippendorff_alpha(ratings) == pytest.approx(_plain_alpha(ratings), abs=1e-12)


def test_raters_who_all_say_the_same_have_no_alpha() -> None:
    assert krippendorff_alpha(as_ratings([[3, 3, 3], [3, 3, 3]])) is None
    assert krippendorff_alpha(as_ratings([[1, None], [None, 2]])) is None


def test_raters_in_full_agreement_have_an_alpha_of_one() -> None:
    assert krippendorff_alpha(as_ratings([[1, 2, 5], [1, 2, 5]])) == 1.0


def test_two_answers_rated_by_nobody_together_have_no_intraclass_correlation() -> None:
    assert intraclass_correlations(as_ratings([[1, None], [None, 2]])) is None
    assert intraclass_correlations(as_ratings([[1, 2, 3]])) is None


def test_a_strict_and_a_lenient_rater_weigh_alike_in_ranks() -> None:
    _truth, ratings = _panel(2)
    assert rank_grades(ratings).tolist() == rank_grades(np.stack([ratings[0] - 2, ratings[1] * 10])).tolist()


def test_ranks_bear_one_careless_rater_better_than_means() -> None:
    truth, ratings = _panel(2)
    careless = np.random.default_rng(4).permutation(ratings[0]) * 3
    panel = np.vstack([ratings, careless])
    by_rank, by_mean = (stats.spearmanr(truth, grades(panel))[0] for grades in (rank_grades, mean_grades))
    assert by_rank > by_mean + 0.1


def test_answers_whose_ranks_add_up_to_the_same_are_tied_to_the_last_bit() -> None:
    ratings = np.array([np.random.default_rng(seed).permutation(49) for seed in range(3)], dtype=float)
    sums = ratings.sum(axis=0)
    grades = rank_grades(ratings)
    assert len(set(grades.tolist())) == len(set(sums.tolist()))
    assert grades == pytest.approx((2 * sums + 3) / (2 * 3 * 49), abs=1e-12)


def test_ties_hold_where_raters_rated_different_numbers_of_answers_however_many() -> None:
    sizes = [9_973, 9_967, 9_949, 9_941, 9_931]  # primes: their common denominator is beyond every machine number
    ratings = np.full((5, 9_973), NAN)
    for row, size in zip(ratings, sizes, strict=True):
        row[:size] = np.arange(size)
    grades = rank_grades(ratings)
    known = [np.mean([(place + 0.5) / size for size in sizes]) for place in range(100)]
    assert grades[:100] == pytest.approx(known, abs=1e-12)


def test_a_rater_of_a_single_answer_neither_lifts_nor_sinks_it() -> None:
    full = as_ratings([[1, 2, 3, 4, 5]])
    single = as_ratings([[1, 2, 3, 4, 5], [None, None, 5, None, None]])
    assert rank_grades(single).tolist() == rank_grades(full).tolist()


def test_an_answer_that_nobody_rated_has_no_grade() -> None:
    ratings = as_ratings([[1, None, 3], [2, None, 3]])
    assert np.isnan(rank_grades(ratings)).tolist() == [False, True, False]
    assert mean_grades(ratings)[0] == 1.5


def test_two_raters_cannot_leave_one_out() -> None:
    _, ratings = _panel(2)
    assert leave_one_out(ratings) == ()


def test_a_rater_is_held_against_the_mean_of_the_others() -> None:
    _, ratings = _panel(3)
    known = stats.spearmanr(ratings[0], (ratings[1] + ratings[2]) / 2)[0]
    assert leave_one_out(ratings)[0] == pytest.approx(known)


def test_a_panel_is_the_same_in_any_order_of_answers_and_raters() -> None:
    _, ratings = _panel(3)
    order = np.random.default_rng(1).permutation(ratings.shape[1])
    shuffled = reliability_of(ratings[::-1][:, order])
    known = reliability_of(ratings)
    assert (shuffled.alpha, shuffled.ceiling) == (known.alpha, known.ceiling)


def test_a_good_judge_may_decide_and_its_share_of_the_ceiling_is_known() -> None:
    truth, ratings = _panel(3)
    result = calibrate(ratings, truth, calibration_rule(0.65))
    assert (result.outcome, result.reason) == (Outcome.PASS, None)
    assert result.reliability.ceiling is not None
    assert result.share_of_ceiling == pytest.approx((result.agreement.rho or 0) / result.reliability.ceiling)


def test_one_rater_calibrates_no_judge() -> None:
    truth, ratings = _panel(1)
    assert calibrate(ratings, truth, calibration_rule(0.65)).reason is Insufficiency.TOO_FEW_RATERS


def test_twenty_nine_graded_answers_calibrate_no_judge() -> None:
    truth, ratings = _panel(3, answers=29)
    result = calibrate(ratings, truth, calibration_rule(0.65))
    assert (result.outcome, result.reason) == (Outcome.INSUFFICIENT, Insufficiency.TOO_FEW_CASES)


def test_noisy_grades_calibrate_no_judge_however_good() -> None:
    _truth, ratings = _panel(3, noise=3.0)
    result = calibrate(ratings, rank_grades(ratings), calibration_rule(0.3))
    assert (result.outcome, result.reason) == (Outcome.INSUFFICIENT, Insufficiency.PANEL_TOO_NOISY)


def test_a_ceiling_just_above_the_threshold_is_too_near() -> None:
    truth, ratings = _panel(2, noise=0.45, answers=400)
    ceiling = reliability_of(ratings).ceiling
    assert ceiling is not None
    near = min(0.95, ceiling - 0.04)
    assert calibrate(ratings, truth, calibration_rule(near)).reason is Insufficiency.PANEL_TOO_NOISY
    assert calibrate(ratings, truth, calibration_rule(ceiling - 0.06)).reason is None


@unhurried
@given(graded(lowest=1), st.lists(SCORES, min_size=2, max_size=20))
def test_a_fitted_map_never_falls_and_stays_among_the_grades(
    sample: tuple[list[float], list[float]], scores: list[float]
) -> None:
    grades, judge = sample
    levels = fit_isotonic(judge, grades).predict(sorted(scores))
    assert (np.diff(levels) >= 0).all()
    assert min(grades) - 1e-9 <= levels.min() <= levels.max() <= max(grades) + 1e-9


def test_a_map_gives_equal_scores_their_mean_grade() -> None:
    found = fit_isotonic([1.0, 1.0, 2.0, 2.0], [0.0, 0.5, 0.5, 1.0])
    assert found == IsotonicMap((1.0, 2.0), (0.25, 0.75))
    assert found.predict([0.0, 1.5, 9.0, None]) == pytest.approx([0.25, 0.5, 0.75, NAN], nan_ok=True)


def test_a_judge_that_ranks_the_wrong_way_round_maps_to_the_mean() -> None:
    assert set(fit_isotonic([1.0, 2.0, 3.0], [1.0, 0.5, 0.0]).levels) == {0.5}


def test_scores_seen_often_weigh_more_in_the_map() -> None:
    assert fit_isotonic([1.0, 1.0, 1.0, 2.0], [0.8, 0.8, 0.8, 0.0]).levels == pytest.approx((0.6, 0.6))


def test_a_map_needs_an_answer_with_both_numbers() -> None:
    with pytest.raises(ValueError, match="grade some answers first"):
        fit_isotonic([1.0, None], [None, 0.5])


def test_a_judge_that_knows_something_beats_the_constant() -> None:
    truth, ratings = _panel(3)
    found = held_out_error(truth, mean_grades(ratings))
    assert found is not None
    assert found.map < 0.5 * found.constant


def test_a_judge_that_knows_nothing_does_not_beat_the_constant() -> None:
    _, ratings = _panel(3)
    found = held_out_error(np.random.default_rng(8).normal(size=120), mean_grades(ratings))
    assert found is not None
    assert found.map > 0.97 * found.constant


def test_nine_answers_are_too_few_to_hold_any_out() -> None:
    assert held_out_error([1.0] * 9, [1.0] * 9) is None


def test_a_judges_scale_is_stretched() -> None:
    assert LinearMap(1.0, 5.0).predict([1.0, 2.0, 5.0, None]) == pytest.approx([0.0, 0.25, 1.0, NAN], nan_ok=True)


def test_a_score_outside_the_judges_scale_is_refused() -> None:
    with pytest.raises(ValueError, match="outside the judge's scale"):
        LinearMap().predict([0.5, 7.0])


def test_a_scale_without_width_is_refused() -> None:
    with pytest.raises(ValueError, match="lowest value first"):
        LinearMap(1.0, 1.0)


@pytest.mark.parametrize(
    ("aggregation", "known"),
    [(Aggregation.MEAN, [3.0, 2.0, NAN]), (Aggregation.MEDIAN, [2.0, 2.0, NAN]), (Aggregation.LOWEST, [1.0, 2.0, NAN])],
)
def test_draws_become_one_score_and_unparsed_ones_are_left_out(aggregation: Aggregation, known: list[float]) -> None:
    draws: list[list[float | None]] = [[1.0, 2.0, 6.0], [2.0, None, 2.0], [None, None, NAN]]
    assert aggregate_draws(draws, aggregation) == pytest.approx(known, nan_ok=True)
