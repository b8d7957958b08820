"""Strict JSON: what is refused, and where."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relcontrol.bundle.strict_json import strict_loads
from tests.bundle.problems import refused

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda v: st.lists(v, max_size=4) | st.dictionaries(st.text(), v, max_size=4),
    max_leaves=15,
)


@given(JSON_VALUES)
def test_good_json_is_read_as_the_standard_library_reads_it(value: Any) -> None:
    assert strict_loads(json.dumps(value)) == value


@pytest.mark.parametrize(
    ("text", "place", "code"),
    [
        ('{"a": 1,\n "a": 2}', "line 2, column 2", "duplicate_key"),
        ('{"a": {"b": 1}, "c": [{"d": "b", "\\u0064": 1}]}', "line 1, column 34", "duplicate_key"),
        ("[1,\n\n NaN]", "line 3, column 2", "not_a_number"),
        ('{"Infinity": -Infinity}', "line 1, column 14", "not_a_number"),
        ("[0.5, 1e400]", "line 1, column 7", "number_too_large"),
        ("[" + "9" * 5_000 + "]", "line 1, column 2", "number_too_large"),
        ('{"a": 1} x', "line 1, column 10", "malformed_json"),
        ('{"a": 1}{"a": 2}', "line 1, column 9", "malformed_json"),
        ('{"a": 1,}', "line 1, column 9", "malformed_json"),
        ("{'a': 1}", "line 1, column 2", "malformed_json"),
        ('"a\nb"', "line 1, column 3", "malformed_json"),
        ("[01]", "line 1, column 3", "malformed_json"),
        ("", "line 1, column 1", "malformed_json"),
        ("\ufeff{}", "line 1, column 1", "malformed_json"),
    ],
)
def test_what_has_no_one_meaning_is_refused_at_its_place(text: str, place: str, code: str) -> None:
    assert refused(strict_loads, text) == {(place, code)}


def test_invalid_utf_8_is_refused_at_its_place() -> None:
    assert refused(strict_loads, '{"é":\n "'.encode() + b'\xff"}') == {("line 2, column 3", "not_utf8")}


def test_the_same_key_in_two_objects_is_no_duplicate() -> None:
    assert strict_loads('[{"a": {"a": "a"}}, {"a": 1}]') == [{"a": {"a": "a"}}, {"a": 1}]


def test_thirty_two_levels_are_read_and_thirty_three_refused() -> None:
    assert strict_loads("[" * 32 + "]" * 32)
    assert refused(strict_loads, "[" * 33 + "]" * 33) == {("line 1, column 33", "too_deep")}


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_a_depth_bomb_is_refused_without_exhausting_the_stack(opening: str) -> None:
    ((place, code),) = refused(strict_loads, opening * 100_000)
    assert (place, code) == (f"line 1, column {32 * len(opening) + 1}", "too_deep")


def test_brackets_inside_of_strings_are_no_depth() -> None:
    assert strict_loads('["' + "[" * 50 + '\\""]') == ["[" * 50 + '"']


def test_more_bytes_than_allowed_are_refused() -> None:
    assert strict_loads('"é"', max_bytes=4) == "é"
    assert refused(strict_loads, '"é"', max_bytes=3) == {("", "too_large")}


@given(st.binary(max_size=60) | st.text(st.sampled_from('{}[]",:\\ab1eN-+.\n '), max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused_and_never_crash(source: bytes) -> None:
    try:
        value = strict_loads(source)
    except ValueError:
        return
    assert value == json.loads(source)
