"""What a redaction replaces, and what it leaves."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relcontrol.bundle.errors import BundleError
from releases.privacy.redaction import Redactor

MAIL = {"pattern": r"[\w.]+@[\w.]+", "with": "[mail]"}
IBAN = {"pattern": r"\b[A-Z]{2}\d{2}( ?\w{4}){3,7}\b", "with": "[account]"}
REDACTOR = Redactor([MAIL, IBAN])


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Write to jane.doe@example.org today.", "Write to [mail] today."),
        ("BE71 0961 2345 6769 and a.b@c.d", "[account] and [mail]"),
        ("Nothing of the kind.", "Nothing of the kind."),
        ("", ""),
    ],
)
def test_each_match_is_replaced(text: str, kept: str) -> None:
    assert REDACTOR.text(text) == kept


def test_a_later_redaction_sees_what_the_earlier_left() -> None:
    assert Redactor([MAIL, {"pattern": r"\[mail\]", "with": ""}]).text("to a@b.c!") == "to !"


def test_a_replacement_is_text_and_no_template() -> None:
    assert Redactor([{"pattern": "a+", "with": r"\1$0"}]).text("baab") == r"b\1$0b"


def test_every_text_of_a_row_that_is_sealed_is_redacted_and_nothing_else() -> None:
    row = {
        "trace_id": "a" * 32,
        "subject": "a@b.c",
        "request_id": "a@b.c",
        "input": {"messages": [{"role": "user", "content": [{"text": "from a@b.c"}, 7, None, True]}]},
        "output": "to a@b.c",
        "metadata": {"a@b.c": "a@b.c", "deep": [["a@b.c", {"n": 1.5}]]},
        "client_settings": {"user": "a@b.c"},
    }
    kept = json.loads(json.dumps(row))
    assert REDACTOR.row(row) == {
        **row,
        "input": {"messages": [{"role": "user", "content": [{"text": "from [mail]"}, 7, None, True]}]},
        "output": "to [mail]",
        "metadata": {"a@b.c": "[mail]", "deep": [["[mail]", {"n": 1.5}]]},
        "client_settings": {"user": "[mail]"},
    }
    assert row == kept


@pytest.mark.parametrize("row", [None, 7, "a@b.c", ["a@b.c"], {}, {"input": None, "output": 7, "metadata": []}])
def test_what_is_no_row_is_left_to_whoever_refuses_it(row: Any) -> None:
    assert REDACTOR.row(row) == row


def test_no_depth_is_too_deep() -> None:
    value: Any = "a@b.c"
    for _ in range(5_000):
        value = [value]
    found = REDACTOR.value(value)
    while isinstance(found, list):
        (found,) = found
    assert found == "[mail]"


@given(
    st.recursive(
        st.text() | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_a_value_without_a_match_stays_as_it_is(value: Any) -> None:
    unmatched = Redactor([{"pattern": "\ue000\ue001", "with": "?"}])
    assert unmatched.value(value) == value or "\ue000\ue001" in str(value)


def test_a_pattern_outside_of_the_language_is_refused() -> None:
    with pytest.raises(BundleError):
        Redactor([{"pattern": r"(a)\1", "with": ""}])


PATTERNS = st.sampled_from(["a", "b+", "^c", "d$", r"\be", "a|f", "x{255}"])


@given(st.lists(PATTERNS, max_size=6), st.text("abcdefx .", max_size=40))
def test_looking_for_all_at_once_changes_nothing(patterns: list[str], text: str) -> None:
    one_by_one = text
    for pattern in patterns:
        one_by_one = Redactor([{"pattern": pattern, "with": "-"}]).text(one_by_one)
    assert Redactor([{"pattern": pattern, "with": "-"} for pattern in patterns]).text(text) == one_by_one
