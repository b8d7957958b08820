"""How far a judge agrees with itself: made-up draws with known answers, and three draws of a real judge."""

import math
import statistics
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gates.statistics.consistency import pooled_deviation, self_consistency
from gates.statistics.scales import Aggregation, aggregate_draws
from tests.gates.pure.samples import ROUGH_SCORES, unhurried
from tests.gates.pure.shared_files import traces

NAN = float("nan")
DRAWS = st.lists(st.lists(ROUGH_SCORES, max_size=5), max_size=20)


def test_the_deviation_is_pooled_over_groups() -> None:
    # squares 2 and 2 about means 2 and 12, with 1 and 2 degrees of freedom
    assert pooled_deviation([[1.0, 3.0], [11.0, 12.0, 13.0]]) == pytest.approx(math.sqrt(4 / 3))


def test_single_scores_have_no_deviation() -> None:
    assert pooled_deviation([[1.0], [5.0, NAN], []]) is None
    assert pooled_deviation([]) is None


def test_scores_that_never_differ_have_none() -> None:
    assert pooled_deviation([[2.0, 2.0], [4.0, 4.0]]) == 0.0


def test_draws_are_compared_pair_by_pair() -> None:
    found = self_consistency([[1.0, 1.0, 2.0], [3.0, 3.0, 3.0]])
    assert found is not None
    assert (found.answers, found.draws) == (2, 3)
    assert found.equal == pytest.approx((1 / 3 + 1) / 2)
    assert found.rho == pytest.approx(1.0)


def test_unread_draws_are_left_out() -> None:
    found = self_consistency([[1.0, None, 2.0], [None, None, 3.0], [2.0, 4.0]])
    assert found is not None
    assert (found.answers, found.draws, found.equal) == (2, 2, 0.0)


def test_single_draws_say_nothing() -> None:
    assert self_consistency([[1.0], [2.0]]) is None
    assert self_consistency([]) is None


def test_draws_that_are_all_the_same_have_no_rank_correlation() -> None:
    found = self_consistency([[3.0, 3.0], [3.0, 3.0]])
    assert found is not None
    assert (found.deviation, found.equal, found.rho) == (0.0, 1.0, None)


@unhurried
@given(DRAWS)
def test_any_draws_whatever_are_described_within_bounds(draws: list[list[float | None]]) -> None:
    found = self_consistency(draws)
    if found is not None:
        assert found.deviation >= 0
        assert 0 <= found.equal <= 1
        assert found.rho is None or -1 <= found.rho <= 1


@unhurried
@given(DRAWS, st.randoms())
def test_the_order_of_the_answers_has_no_say(draws: list[list[float | None]], random: Any) -> None:
    shuffled = random.sample(draws, len(draws))
    assert self_consistency(shuffled) == self_consistency(draws)


def _by_category() -> dict[str, list[list[float]]]:
    found: dict[str, list[list[float]]] = {}
    for row in traces("traces_mtbench_vicuna"):
        draws = [float(row["judge_scores"][f"gpt4_draw{number}"]) for number in (1, 2, 3)]
        found.setdefault(row["slice"], []).append(draws)
    return found


def test_a_real_judge_of_three_draws_is_consistent_to_a_known_degree_in_every_category() -> None:
    parts = _by_category()
    assert len(parts) == 13
    for category, draws in parts.items():
        found = self_consistency(draws)
        assert found is not None, category
        within = [statistics.variance(each) for each in draws]
        assert found.deviation == pytest.approx(math.sqrt(statistics.mean(within))), category
        same = [sum(one == other for one, other in combinations(each, 2)) / 3 for each in draws]
        assert found.equal == pytest.approx(statistics.mean(same)), category
        columns = list(zip(*draws, strict=True))
        rhos = [stats.spearmanr(one, other)[0] for one, other in combinations(columns, 2)]
        assert found.rho == pytest.approx(np.mean(rhos)), category


@pytest.mark.parametrize(
    ("aggregation", "plain"),
    [(Aggregation.MEAN, statistics.fmean), (Aggregation.MEDIAN, statistics.median), (Aggregation.LOWEST, min)],
)
def test_three_real_draws_become_one_score(aggregation: Aggregation, plain: Any) -> None:
    for category, draws in _by_category().items():
        known = [plain(each) for each in draws]
        assert aggregate_draws(draws, aggregation).tolist() == pytest.approx(known), category
