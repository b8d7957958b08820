"""The preprocessing language."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relcontrol.bundle.preprocessing import apply, normalise_steps, preprocessing_fingerprint
from tests.bundle.golden import own_vectors
from tests.bundle.problems import refused

DIGEST = "sha256:" + "ab" * 32


def run(*steps: dict[str, Any], text: str) -> str:
    return apply(normalise_steps(list(steps)), {"input": text})["input"]


@pytest.mark.parametrize(
    ("step", "text", "result"),
    [
        ({"op": "strip"}, " \n a b\t", "a b"),
        ({"op": "collapse_whitespace"}, " a \n\t b\u00a0c ", " a b c "),
        ({"op": "lowercase"}, "ÀB", "àb"),
        ({"op": "unicode_nfc"}, "e\u0301", "\u00e9"),
        ({"op": "truncate", "max_chars": 3}, "añb€c", "añb"),
        ({"op": "redact", "pattern": r"\d+", "with": r"\0#"}, "a 12 b 3", r"a \0# b \0#"),
        ({"op": "redact", "pattern": "x", "with": ""}, "axb", "ab"),
        ({"op": "external", "image_digest": DIGEST, "fingerprint": "v3"}, " A ", " A "),
    ],
)
def test_each_step_does_what_its_name_says(step: dict[str, Any], text: str, result: str) -> None:
    assert run(step, text=text) == result


def test_steps_run_in_their_order() -> None:
    cut, strip = {"op": "truncate", "max_chars": 2}, {"op": "strip"}
    assert (run(cut, strip, text="  ab"), run(strip, cut, text="  ab")) == ("", "ab")


def test_a_step_with_a_field_leaves_the_other_fields_alone() -> None:
    steps = normalise_steps([{"op": "lowercase", "field": "locale"}, {"op": "strip", "field": "absent"}])
    fields = {"input": "A", "locale": "FR"}
    assert apply(steps, fields) == {"input": "A", "locale": "fr"}
    assert fields == {"input": "A", "locale": "FR"}


def test_naming_the_default_field_changes_no_digest() -> None:
    assert normalise_steps([{"op": "strip", "field": "input"}]) == [{"op": "strip"}]


def test_the_fingerprint_is_the_digest_of_the_artifact() -> None:
    golden = own_vectors()["artifacts"]["preprocessing"]
    assert preprocessing_fingerprint(normalise_steps(golden["value"]["steps"])) == golden["digest"]


def test_normalising_and_lower_casing_gives_another_fingerprint_than_not() -> None:
    serving = normalise_steps([{"op": "strip"}])
    evaluation = normalise_steps([{"op": "strip"}, {"op": "lowercase"}])
    assert preprocessing_fingerprint(serving) != preprocessing_fingerprint(evaluation)


def test_every_wrong_step_is_named_at_once() -> None:
    steps = [
        {"op": "shout"},
        "strip",
        {"op": "truncate", "max_chars": 0},
        {"op": "truncate", "max_chars": True},
        {"op": "redact", "pattern": "(a", "with": 3},
        {"op": "strip", "field": "a.b"},
        {"op": "strip", "chars": "x"},
        {"op": "external", "image_digest": "latest"},
    ]
    assert refused(normalise_steps, steps) == {
        ("steps[0].op", "unknown_choice"),
        ("steps[1]", "wrong_type"),
        ("steps[1].op", "unknown_choice"),
        ("steps[2].max_chars", "out_of_range"),
        ("steps[3].max_chars", "out_of_range"),
        ("steps[4].pattern", "pattern"),
        ("steps[4].with", "wrong_type"),
        ("steps[5].field", "bad_name"),
        ("steps[6].chars", "unknown_field"),
        ("steps[7].image_digest", "bad_digest"),
        ("steps[7].fingerprint", "required"),
    }


@pytest.mark.parametrize(
    ("steps", "code"), [({}, "wrong_type"), (None, "wrong_type"), ([{"op": "strip"}] * 51, "too_many")]
)
def test_steps_are_a_list_of_bounded_length(steps: object, code: str) -> None:
    assert refused(normalise_steps, steps) == {("steps", code)}


@given(st.text())
def test_the_identity_changes_nothing(text: str) -> None:
    assert run(text=text) == text


@given(st.text())
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    steps: list[dict[str, Any]] = [{"op": "collapse_whitespace"}, {"op": "strip"}, {"op": "unicode_nfc"}]
    once = run(*steps, text=text)
    assert run(*steps, text=once) == once
