"""Generation settings in their one spelling."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relcontrol.bundle.generation import normalise_generation
from tests.bundle.problems import refused


@pytest.mark.parametrize(
    ("spelling", "shortest"),
    [
        ("0.20", "0.2"),
        (1.0, "1"),
        (0, "0"),
        ("1e-1", "0.1"),
        (-0.0, "0"),
        ("-0", "0"),
        ("+.5", "0.5"),
        ("2.", "2"),
        (Decimal("0.700"), "0.7"),
        (1e-7, "0.0000001"),
        (" 1.5 ", "1.5"),
        ("0e-999", "0"),
        ("0.10000000000000000000", "0.1"),
    ],
)
def test_a_temperature_has_one_spelling(spelling: object, shortest: str) -> None:
    assert normalise_generation({"temperature": spelling}) == {"temperature": shortest}


@given(st.decimals(-2, 2, places=6))
def test_numbers_and_strings_of_a_penalty_mean_the_same(number: Decimal) -> None:
    spellings: list[object] = [number, str(number), float(number), f"{number:e}", f"{number}00"]
    texts = {normalise_generation({"presence_penalty": spelling})["presence_penalty"] for spelling in spellings}
    (text,) = texts
    assert Decimal(text) == number
    assert normalise_generation({"presence_penalty": text}) == {"presence_penalty": text}


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("temperature", 2.01, "out_of_range"),
        ("temperature", "-0.1", "out_of_range"),
        ("top_p", "1.0001", "out_of_range"),
        ("frequency_penalty", -3, "out_of_range"),
        pytest.param("temperature", 10**5000, "out_of_range", id="huge"),
        ("temperature", "1e-13", "too_precise"),
        ("temperature", "1e-999", "too_precise"),
        ("temperature", True, "wrong_type"),
        ("temperature", [], "wrong_type"),
        ("temperature", "NaN", "not_a_number"),
        ("temperature", float("inf"), "not_a_number"),
        ("temperature", "1_0", "not_a_number"),
        ("temperature", "\u0661", "not_a_number"),
        ("temperature", "1e99999", "not_a_number"),
        ("temperature", "", "not_a_number"),
        ("max_tokens", 0, "out_of_range"),
        ("max_tokens", 1.5, "out_of_range"),
        ("max_tokens", True, "out_of_range"),
        ("max_tokens", "many", "out_of_range"),
        ("seed", 2**53, "out_of_range"),
        ("logit_bias", {}, "unknown_field"),
        ("stop", 7, "wrong_type"),
    ],
)
def test_a_setting_outside_of_its_rule_is_refused(key: str, value: object, code: str) -> None:
    assert refused(normalise_generation, {key: value}) == {(f"generation.{key}", code)}


@pytest.mark.parametrize("spelling", [800, "800", 800.0])
def test_max_tokens_is_an_integer_in_any_spelling(spelling: object) -> None:
    assert normalise_generation({"max_tokens": spelling}) == {"max_tokens": 800}


def test_stop_keeps_its_order_and_drops_what_stands_twice() -> None:
    assert normalise_generation({"stop": ["b", "a", "b", "e\u0301"]}) == {"stop": ["b", "a", "\u00e9"]}
    assert normalise_generation({"stop": "\n"}) == {"stop": ["\n"]}


def test_what_is_null_or_empty_is_left_out() -> None:
    assert normalise_generation({"seed": None, "stop": [], "top_p": None}) == {}
    assert normalise_generation(None) == {}


def test_every_wrong_setting_is_named_at_once() -> None:
    value = {"temperature": "hot", "max_tokens": -1, "stop": ["", 3], "mood": "good"}
    assert refused(normalise_generation, value, "g") == {
        ("g.temperature", "not_a_number"),
        ("g.max_tokens", "out_of_range"),
        ("g.stop[0]", "required"),
        ("g.stop[1]", "wrong_type"),
        ("g.mood", "unknown_field"),
    }


def test_an_answers_length_has_one_limit_under_the_name_that_its_model_takes() -> None:
    assert normalise_generation({"max_completion_tokens": "800"}) == {"max_completion_tokens": 800}
    both = {"max_tokens": 800, "max_completion_tokens": 800}
    assert refused(normalise_generation, both, "g") == {("g.max_completion_tokens", "given_twice")}
