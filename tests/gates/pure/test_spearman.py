"""ρ, ranks and influence values against slow, plain computations of the same things."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from gates.statistics.arrays import Floats, as_floats, cluster_sums, codes_of, spread
from gates.statistics.ranks import ALONE, mid_ranks
from gates.statistics.spearman import CLIP, bonett_wright_error, correlate, fisher_interval, mean_error
from tests.gates.pure.samples import SCORES, graded, unhurried


def _above(values: Floats, weights: Floats) -> Floats:
    greater = (values[:, None] < values[None, :]) + 0.5 * (values[:, None] == values[None, :])
    mean: Floats = greater @ weights / len(values)
    return mean


def _plain_influence(human: Floats, judge: Floats) -> Floats:
    n = len(human)
    f, g = ((stats.rankdata(side) - 0.5) / n for side in (human, judge))
    a, b, c = np.mean(f * g) - 0.25, np.mean(f * f) - 0.25, np.mean(g * g) - 0.25
    ia = f * g + _above(human, g) + _above(judge, f) - 3 * (a + 0.25)
    ib = f * f + 2 * _above(human, f) - 3 * (b + 0.25)
    ic = g * g + 2 * _above(judge, g) - 3 * (c + 0.25)
    rho = a / np.sqrt(b * c)
    influence: Floats = ia / np.sqrt(b * c) - rho / 2 * (ib / b + ic / c)
    return influence


@unhurried
@given(st.lists(SCORES, max_size=80))
def test_ties_share_the_mean_of_their_ranks(values: list[float]) -> None:
    assert mid_ranks(as_floats(values)).tolist() == stats.rankdata(values).tolist()


@unhurried
@given(graded(lowest=2))
def test_rho_is_that_of_scipy(sample: tuple[list[float], list[float]]) -> None:
    human, judge = map(as_floats, sample)
    assume(len(set(human)) > 1 and len(set(judge)) > 1)
    assert correlate(human, judge, ALONE).rho[0] == pytest.approx(stats.spearmanr(human, judge)[0], abs=1e-12)


@unhurried
@given(graded(lowest=4))
def test_influence_values_are_those_of_the_plain_formula(sample: tuple[list[float], list[float]]) -> None:
    human, judge = map(as_floats, sample)
    assume(len(set(human)) > 1 and len(set(judge)) > 1)
    found = correlate(human, judge, ALONE).influence
    assert found == pytest.approx(_plain_influence(human, judge), abs=1e-9)


@unhurried
@given(st.lists(graded(lowest=1), min_size=1, max_size=6))
def test_slices_together_give_the_very_bits_of_each_alone(parts: list[tuple[list[float], list[float]]]) -> None:
    counts = np.array([len(human) for human, _ in parts])
    human, judge = (np.concatenate([part[side] for part in parts]) for side in (0, 1))
    together = correlate(human, judge, np.cumsum(counts) - counts)
    alone = [correlate(as_floats(h), as_floats(j), ALONE) for h, j in parts]
    assert together.rho.tobytes() == np.concatenate([each.rho for each in alone]).tobytes()
    assert together.influence.tobytes() == np.concatenate([each.influence for each in alone]).tobytes()
    assert together.judge_off_mode.tolist() == [each.judge_off_mode[0] for each in alone]


def test_the_known_example_of_wrong_tie_handling_comes_out_right() -> None:
    human, judge = as_floats([1, 1, 1, 2, 2, 3]), as_floats([1, 2, 2, 2, 3, 3])
    assert correlate(human, judge, ALONE).rho[0] == pytest.approx(stats.spearmanr(human, judge)[0], abs=1e-12)


def test_a_perfect_ranking_has_exactly_one() -> None:
    values = np.arange(1000.0) ** 3
    assert correlate(values, np.log1p(values), ALONE).rho[0] == 1.0


def test_clusters_of_one_case_change_nothing() -> None:
    influence = np.random.default_rng(3).normal(size=40)
    assert mean_error(influence, codes_of(list(range(40)))) == pytest.approx(mean_error(influence), rel=1e-12)


def test_cases_of_one_document_that_move_together_widen_the_error() -> None:
    influence = np.repeat(np.random.default_rng(3).normal(size=20), 5)
    clustered = mean_error(influence, codes_of([index // 5 for index in range(100)]))
    assert clustered > 2 * mean_error(influence)


def test_repeating_every_case_in_its_document_leaves_the_error_as_it_was() -> None:
    influence = np.random.default_rng(3).normal(size=20)
    clustered = mean_error(np.repeat(influence, 5), codes_of([index // 5 for index in range(100)]))
    assert clustered == pytest.approx(mean_error(influence), rel=1e-12)


def test_fewer_than_four_documents_have_no_error() -> None:
    assert np.isnan(mean_error(np.ones(30), codes_of([index % 3 for index in range(30)])))


def test_a_case_without_a_cluster_stands_alone() -> None:
    assert codes_of(["a", None, "a", None]).tolist() == [0, 1, 0, 2]
    assert codes_of([None, ("alone", 0), 0]).tolist() == [0, 1, 2]


def test_cluster_sums_add_up_each_document() -> None:
    assert cluster_sums(as_floats([1, 2, 3, 4]), codes_of(["a", "b", "a", "b"])).tolist() == [4.0, 6.0]


def test_the_interval_of_bonett_and_wright_covers_what_it_should() -> None:
    rho = np.array([0.5])
    low, high = fisher_interval(rho, bonett_wright_error(rho, np.array([103])), 0.95)
    reach = 1.959963984540054 * np.sqrt(1.125 / 100)
    assert [low[0], high[0]] == pytest.approx([np.tanh(np.arctanh(0.5) - reach), np.tanh(np.arctanh(0.5) + reach)])


def test_a_perfect_agreement_still_has_an_error_and_no_infinite_interval() -> None:
    error = bonett_wright_error(np.array([1.0]), np.array([30]))
    low, high = fisher_interval(np.array([1.0]), error, 0.9)
    assert 0.999 < low[0] < high[0] < 1.0
    assert error[0] == pytest.approx(np.sqrt((1 + CLIP**2 / 2) / 27))


def test_spread_is_the_sample_standard_deviation() -> None:
    assert spread(as_floats([1, 2, 4, 7])) == pytest.approx(np.std([1, 2, 4, 7], ddof=1))
    assert np.isnan(spread(as_floats([1])))
