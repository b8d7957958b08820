"""RFC 8785 bytes, our refusals, and NFC."""

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from relcontrol.bundle.canonical import canonical_bytes, nfc, sha256_hex, sha256_ref
from relcontrol.bundle.strict_json import strict_loads
from tests.bundle.golden import SHARED
from tests.bundle.problems import refused

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
SCALARS = st.none() | st.booleans() | st.integers(-(2**53 - 1), 2**53 - 1) | TEXT
VALUES = st.recursive(SCALARS, lambda v: st.lists(v, max_size=4) | st.dictionaries(TEXT, v, max_size=4), max_leaves=20)


@pytest.mark.parametrize("name", ["arrays", "french", "structures", "unicode", "values", "weird"])
def test_the_published_vectors_give_their_published_bytes(name: str) -> None:
    folder = SHARED / "jcs"
    if not folder.exists():
        pytest.skip(f"{folder} is not here; set RELCONTROL_SHARED to the folder that holds vectors/")
    value = json.loads((folder / "input" / f"{name}.json").read_text(encoding="utf-8"))
    assert rfc8785.dumps(value) == _expected(folder, name)
    if name not in ("structures", "values"):  # these two hold floats, which we refuse
        assert canonical_bytes(value) == _expected(folder, name)


def _expected(folder: Path, name: str) -> bytes:
    return bytes.fromhex((folder / "outhex" / f"{name}.txt").read_text(encoding="ascii"))


def test_keys_are_sorted_by_utf_16_units_and_not_by_code_points() -> None:
    assert canonical_bytes({"\ufb33": 1, "\U0001f602": 2, "a": 3}) == '{"a":3,"\U0001f602":2,"\ufb33":1}'.encode()


def test_control_characters_are_escaped_in_their_short_forms() -> None:
    assert canonical_bytes('\b\t\n\f\r\x01\x1f\x7f"\\/') == b'"\\b\\t\\n\\f\\r\\u0001\\u001f\x7f\\"\\\\/"'


def test_strings_are_never_changed_on_the_way_to_bytes() -> None:
    assert canonical_bytes("A\u030a") == '"A\u030a"'.encode()


def test_the_digest_of_the_empty_object_is_the_known_one() -> None:
    known = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert (sha256_hex({}), sha256_ref({})) == (known, f"sha256:{known}")


def test_all_refusals_of_a_value_are_named_with_their_places() -> None:
    value = {"a": 0.5, "b": [2**53, "\ud800"], "c": {"d": "\x00"}, "e": {1: 2}, "f": b"x", "g": float("nan")}
    assert refused(canonical_bytes, value) == {
        ("a", "float"),
        ("b[0]", "integer_too_large"),
        ("b[1]", "surrogate"),
        ("c.d", "nul"),
        ("e", "not_json"),
        ("f", "not_json"),
        ("g", "float"),
    }


def test_a_whole_float_is_refused_as_well() -> None:
    assert refused(canonical_bytes, {"n": 1.0}) == {("n", "float")}


@pytest.mark.parametrize("number", [2**53 - 1, -(2**53 - 1)])
def test_the_largest_safe_integers_are_kept(number: int) -> None:
    assert canonical_bytes(number) == str(number).encode()


def test_a_value_nested_without_end_is_refused_instead_of_overflowing() -> None:
    value: Any = []
    for _ in range(100_000):
        value = [value]
    (problem,) = refused(canonical_bytes, value)
    assert problem[1] == "too_deep"


@given(VALUES)
def test_canonical_bytes_read_back_as_the_value(value: Any) -> None:
    assert strict_loads(canonical_bytes(value)) == value


@given(st.dictionaries(TEXT, SCALARS))
def test_the_order_of_keys_does_not_matter(value: dict[str, Any]) -> None:
    assert sha256_hex(dict(reversed(value.items()))) == sha256_hex(value)


def test_nfc_reaches_every_string_and_key() -> None:
    assert nfc({"e\u0301": ["A\u030a", {"x": "e\u0301"}, 1, None]}) == {"\u00e9": ["\u00c5", {"x": "\u00e9"}, 1, None]}


def test_two_keys_that_become_one_in_nfc_are_refused() -> None:
    assert refused(nfc, {"a": {"e\u0301": 1, "\u00e9": 2}}) == {("a.\u00e9", "duplicate_key")}


@given(TEXT)
def test_nfc_is_done_once_for_all(text: str) -> None:
    assert nfc(nfc(text)) == nfc(text) == unicodedata.normalize("NFC", text)
