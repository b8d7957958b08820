"""The verifier's reader and writer of JSON: one spelling for each value, everything else refused."""

import os
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from audit import verify

SHARED = Path(os.environ.get("RELCONTROL_SHARED") or Path(__file__).parents[4] / "shared")
WITHOUT_FRACTIONS = ["french", "unicode", "weird"]

texts = st.text(st.characters(codec="utf-8"))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(texts, children, max_size=4),
    max_leaves=20,
)


@given(values)
def test_the_own_writer_agrees_with_rfc8785(value: Any) -> None:
    assert verify.canonical_json(value) == rfc8785.dumps(value)


@given(values)
def test_what_was_written_canonically_is_read_back(value: Any) -> None:
    assert verify.read_canonical(rfc8785.dumps(value)) == value


@pytest.mark.parametrize("name", WITHOUT_FRACTIONS)
def test_the_vectors_of_rfc_8785_hold(name: str) -> None:
    vectors = SHARED / "vectors" / "jcs"
    if not vectors.is_dir():
        pytest.skip(f"no RFC 8785 vectors at {vectors}; set RELCONTROL_SHARED")
    value = verify.read_json((vectors / "input" / f"{name}.json").read_bytes())
    assert verify.canonical_json(value) == (vectors / "output" / f"{name}.json").read_bytes()


def test_keys_are_sorted_by_utf_16_code_units() -> None:
    assert verify.canonical_json({"\ufb33": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ufb33":1}'.encode()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b'{"a":1,"a":1}', "'a' twice"),
        (b'{"a":{"b":1,"b":2}}', "'b' twice"),
        (b"[NaN]", "'NaN'"),
        (b"[Infinity]", "'Infinity'"),
        (b"[1.0]", r"'1\.0'"),
        (b"[1e3]", "'1e3'"),
        (b"[9007199254740992]", "2\\^53-1"),
        (b"[-9007199254740992]", "2\\^53-1"),
        (b"[" + b"9" * 5000 + b"]", "2\\^53-1"),
        (b"\xef\xbb\xbf[]", "BOM"),
        (b'["\xff"]', "utf-8"),
        (b"[1] 2", "Extra data"),
        (b"", "Expecting value"),
        (b"[" * 100_000, "nesting"),
    ],
)
def test_ambiguous_json_is_refused_with_the_reason(text: bytes, complaint: str) -> None:
    with pytest.raises(verify.FormError, match=complaint):
        verify.read_json(text)


@pytest.mark.parametrize(
    "text", [b'{"b":1,"a":2}', b"[ 1]", b"[-0]", b'["\\u0061"]', b'["\\/"]', b'["\\u001F"]', b"[1]\n", b'["\\ud800"]']
)
def test_another_spelling_of_the_same_value_is_refused(text: bytes) -> None:
    with pytest.raises(verify.FormError, match=r"canonical|surrogate"):
        verify.read_canonical(text)


def test_the_first_differing_byte_is_named() -> None:
    with pytest.raises(verify.FormError, match="byte 6"):
        verify.read_canonical(b'{"a":1 }')


def test_brackets_in_strings_are_no_levels_and_a_string_without_end_takes_no_longer() -> None:
    assert verify.read_canonical(b'["' + b"[" * 100 + b'\\\\","\\"' + b"{" * 100 + b'"]')
    with pytest.raises(verify.FormError):
        verify.read_json(b'\\"' * 300_000 + b"[" * 100)


def test_thirty_two_levels_are_read_and_thirty_three_are_not() -> None:
    assert verify.read_canonical(b"[" * 32 + b"]" * 32)
    with pytest.raises(verify.FormError, match="at most 32"):
        verify.read_canonical(b"[" * 33 + b"]" * 33)


@pytest.mark.parametrize("text", ["QQ=", "QQ", "Q Q=", "QR==", "QQ==\n", "Q-==", "QQ==QQ==", "\u00e9"])
def test_base64_has_one_spelling(text: str) -> None:
    with pytest.raises(verify.FormError, match="base64"):
        verify.decode_base64(text, "sig")


@given(st.binary())
def test_arbitrary_bytes_are_refused_as_form_or_read(text: bytes) -> None:
    try:
        verify.read_canonical(text)
    except verify.FormError as error:
        assert error.expected  # noqa: PT017 - most bytes are refused, some can be read
