"""One comparison for every limit, and numbers that stand on the side they were judged on."""

from hypothesis import example, given
from hypothesis import strategies as st

from gates.statistics.limits import (
    meets,
    shown,
    shown_beside,
    shown_change,
    shown_gap,
    shown_limit,
    shown_probability,
    shown_size,
)
from tests.gates.pure.samples import unhurried

UNIT = st.floats(-1, 1)
LIMITS = st.integers(1, 95).map(lambda whole: whole / 100)


def test_equality_passes() -> None:
    assert meets(0.65, 0.65)


def test_float_noise_under_the_limit_passes() -> None:
    assert meets(0.7 - 0.05, 0.65)
    assert meets(0.1 + 0.2 - 1e-10, 0.3)


def test_a_value_under_the_limit_by_more_than_noise_does_not_pass() -> None:
    assert not meets(0.65 - 2e-9, 0.65)


def test_no_number_meets_no_limit() -> None:
    assert not meets(float("nan"), 0.65)
    assert not meets(0.65, float("nan"))


def test_two_decimals_are_shown() -> None:
    assert shown_beside(0.412345, 0.65) == "0.41"


def test_a_fail_that_would_round_to_the_limit_gets_more_decimals() -> None:
    assert shown_beside(0.6496, 0.65) == "0.6496"
    assert shown_beside(0.64996, 0.65) == "0.64996"


def test_a_pass_that_would_round_under_the_limit_gets_more_decimals() -> None:
    assert shown_beside(0.6546, 0.6545) == "0.655"


@unhurried
@given(UNIT, LIMITS)
@example(0.65 - 1.1e-9, 0.65)
@example(0.65 - 0.9e-9, 0.65)
def test_what_is_shown_reads_as_what_was_judged(value: float, limit: float) -> None:
    read = float(shown_beside(value, limit).replace("\N{MINUS SIGN}", "-"))
    assert meets(read, limit) == meets(value, limit)


def test_a_limit_is_shown_in_full() -> None:
    assert [shown_limit(limit) for limit in (0.6, 0.65, 0.655, 0.1 + 0.2)] == ["0.60", "0.65", "0.655", "0.30"]


def test_a_limit_computed_from_a_previous_level_is_cut_at_six_decimals() -> None:
    assert shown_limit(2 / 3 - 0.05) == "0.616667"


def test_a_negative_number_has_a_true_minus_and_zero_has_none() -> None:
    assert shown(-0.268) == "\N{MINUS SIGN}0.27"
    assert shown(-0.001) == "0.00"


def test_a_gap_has_as_many_decimals_as_the_number_beside_it() -> None:
    assert shown_gap(0.4051, 0.65) == "0.24"


def test_a_gap_never_reads_as_nothing() -> None:
    assert shown_gap(0.6496, 0.65) == "0.0004"
    assert shown_size(-0.0042) == "0.004"
    assert shown_gap(0.65, 0.654) == "0.004"


def test_a_change_has_its_sign_and_never_reads_as_nothing() -> None:
    assert shown_change(-0.271) == "\N{MINUS SIGN}0.27"
    assert shown_change(0.0042) == "+0.004"
    assert shown_change(0.0) == "0.00"


def test_a_p_value_stays_on_its_side_of_five_percent() -> None:
    assert shown_probability(0.0502) == "p = 0.0502"
    assert shown_probability(0.0499) == "p = 0.050"
    assert shown_probability(0.00001) == "p < 0.001"


@given(limit=st.floats(0.05, 0.95), distance=st.floats(-0.02, 0.02))
def test_a_limit_beside_a_value_never_contradicts_the_verdict(limit: float, distance: float) -> None:
    value = limit + distance
    written, bound = float(shown_beside(value, limit)), float(shown_limit(limit, value))
    assert meets(written, bound) == meets(value, limit)
