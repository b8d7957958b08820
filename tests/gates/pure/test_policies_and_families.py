"""The three policies, Holm's correction, and the case planner."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.statistics.holm import holm_adjusted, holm_rejected
from gates.statistics.planner import (
    all_pass_probability,
    cases_needed,
    pass_probability,
    planner_table,
    smallest_provable_shortfall,
    true_agreement_to_pass,
)
from gates.statistics.policies import Decision, Evidence, Outcome, Policy, decide
from tests.gates.pure.samples import unhurried

P_VALUES = st.lists(st.none() | st.floats(0, 1), max_size=12)
NAN = float("nan")


def _decided(policy: Policy, low: float, estimate: float, high: float) -> Decision:
    return decide(policy, estimate=estimate, low=low, high=high, limit=0.65)


PROVEN_PASS = Decision(Outcome.PASS, Evidence.PROVEN)
PROVEN_FAIL = Decision(Outcome.FAIL, Evidence.PROVEN)


@pytest.mark.parametrize("policy", list(Policy))
def test_proof_decides_under_every_policy(policy: Policy) -> None:
    assert _decided(policy, 0.65, 0.7, 0.8) == PROVEN_PASS
    assert _decided(policy, 0.4, 0.5, 0.64) == PROVEN_FAIL


@pytest.mark.parametrize(
    ("policy", "above", "below"),
    [
        (Policy.POINT, Outcome.PASS, Outcome.FAIL),
        (Policy.GUARDED, Outcome.REVIEW, Outcome.FAIL),
        (Policy.CONFIDENT, Outcome.INSUFFICIENT, Outcome.INSUFFICIENT),
    ],
)
def test_without_proof_the_policy_decides(policy: Policy, above: Outcome, below: Outcome) -> None:
    assert _decided(policy, 0.6, 0.65, 0.8) == Decision(above, Evidence.UNPROVEN)
    assert _decided(policy, 0.6, 0.64, 0.8) == Decision(below, Evidence.UNPROVEN)


def test_an_upper_bound_at_the_limit_proves_no_fail() -> None:
    assert _decided(Policy.CONFIDENT, 0.4, 0.5, 0.65).outcome is Outcome.INSUFFICIENT


def test_bounds_that_do_not_exist_prove_nothing() -> None:
    assert _decided(Policy.CONFIDENT, NAN, 0.9, NAN) == Decision(Outcome.INSUFFICIENT, Evidence.UNPROVEN)


@pytest.mark.parametrize("policy", list(Policy))
def test_an_estimate_that_does_not_exist_decides_nothing(policy: Policy) -> None:
    assert _decided(policy, NAN, NAN, NAN) == Decision(Outcome.INSUFFICIENT, Evidence.NONE)


def test_holm_multiplies_the_smallest_by_all_and_never_decreases() -> None:
    assert holm_adjusted([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_leaves_out_what_was_not_tested() -> None:
    assert holm_adjusted([0.02, None, 0.04]) == pytest.approx([0.04, None, 0.04])
    assert holm_rejected([0.02, None, 0.04]) == [True, False, True]


@unhurried
@given(P_VALUES)
def test_holm_rejects_at_least_what_bonferroni_does(p_values: list[float | None]) -> None:
    tested = sum(p is not None for p in p_values)
    for p, rejected in zip(p_values, holm_rejected(p_values), strict=True):
        assert rejected or p is None or p * tested > 0.05


def test_no_number_of_cases_tells_a_threshold_from_itself() -> None:
    assert cases_needed(0.65, 0.65) is None


@pytest.mark.parametrize(
    ("true", "needed"), [(0.45, 89), (0.5, 147), (0.55, 302), (0.6, 1103), (0.7, 897), (0.75, 199), (0.8, 77)]
)
def test_the_planner_gives_the_designs_numbers(true: float, needed: int) -> None:
    assert cases_needed(0.65, true) == needed


@unhurried
@given(st.floats(0.05, 0.95), st.integers(4, 5000))
def test_the_smallest_shortfall_is_what_its_cases_can_just_prove(threshold: float, n: int) -> None:
    shortfall = smallest_provable_shortfall(threshold, n)
    assert shortfall is not None
    assert cases_needed(threshold, threshold - shortfall * 1.0001) in (n, n - 1)


def test_three_cases_can_prove_no_shortfall() -> None:
    assert smallest_provable_shortfall(0.65, 3) is None
    assert pass_probability(0.65, 0.99, 3) == 0.0


def test_the_table_is_the_one_simulated_in_the_design() -> None:
    simulated = [(0.15, 0.31, 0.5, 0.73, 0.9), (0.07, 0.23, 0.5, 0.81, 0.97), (0.02, 0.14, 0.51, 0.89, 1.0)]
    rows = planner_table(0.65)
    assert [row.n for row in rows] == [50, 100, 200]
    for row, known in zip(rows, simulated, strict=True):
        assert row.pass_probabilities == pytest.approx(known, abs=0.025)


def test_a_policy_that_asks_for_proof_passes_less_often() -> None:
    assert pass_probability(0.65, 0.75, 199, Policy.CONFIDENT) == pytest.approx(0.8, abs=0.01)
    assert pass_probability(0.65, 0.75, 199, Policy.POINT) > 0.99


def test_the_agreement_that_passes_as_often_as_asked_does_so() -> None:
    true = true_agreement_to_pass(0.65, 84, 0.94)
    assert true == pytest.approx(0.75, abs=0.005)
    assert pass_probability(0.65, true or 0.0, 84) == pytest.approx(0.94)


def test_what_too_few_cases_cannot_pass_has_no_such_agreement() -> None:
    assert true_agreement_to_pass(0.95, 4, 0.999, Policy.CONFIDENT) is None


def test_many_good_slices_rarely_all_pass() -> None:
    assert all_pass_probability([0.9] * 20) == pytest.approx(0.9**20)
