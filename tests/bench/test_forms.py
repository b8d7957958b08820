"""A filled form has the bytes that canonicalisation would have given."""

from hypothesis import given
from hypothesis import strategies as st

from relcontrol.bench.forms import Form
from relcontrol.bundle.canonical import canonical_bytes

MARKS = {"who": "@who@", "number": "9007199254740001", "inner": '"@inner@"'}
VALUE = {"b": ["@who@", 9007199254740001], "a": {"inner": "@inner@", "same": "@who@ again"}}
HEX = st.text("0123456789abcdef", min_size=1)


@given(who=HEX, number=st.integers(0, 2**53 - 1), inner=st.dictionaries(HEX, st.integers(0, 9)))
def test_filled_gaps_are_canonical(who: str, number: int, inner: dict[str, int]) -> None:
    filled = Form(VALUE, MARKS).filled({"who": who, "number": str(number), "inner": canonical_bytes(inner).decode()})

    assert filled.encode() == canonical_bytes({"b": [who, number], "a": {"inner": inner, "same": f"{who} again"}})


def test_a_value_without_a_gap_is_left_out() -> None:
    assert Form({"a": 1}, MARKS).filled({"who": "nobody"}) == '{"a":1}'
