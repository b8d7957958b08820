"""The quick way to RFC 8785 bytes gives what the plain one gives, or takes that one."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import verify

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-verify.MAX_INTEGER, verify.MAX_INTEGER) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


def both(value: Any) -> set[object]:
    """What each of the two gives, a refusal included."""
    text = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    found: set[object] = set()
    for encode in (verify.canonical_json, verify.respelling(text)):
        try:
            found.add(encode(value))
        except verify.FormError as error:
            found.add(error.expected)
    return found


@given(value=VALUES)
def test_both_ways_write_the_same(value: Any) -> None:
    assert len(both(value)) == 1


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [{"\U0001f600": 1, "\ufb33": 2}, {"]": "[[[[", '"': '\\"{'}, "\ud800", nested(32), nested(33), {"\u2028": "\x7f"}],
    ids=ascii,
)
def test_both_ways_agree_where_python_writes_otherwise(value: Any) -> None:
    assert len(both(value)) == 1


def test_keys_beyond_the_basic_plane_are_sorted_by_utf_16() -> None:
    text = '{"\U0001f600":1,"\ufb33":2}'.encode()
    assert verify.read_canonical(text) == {"\U0001f600": 1, "\ufb33": 2}
