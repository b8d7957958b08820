"""Numbers and times as people read them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relcontrol.web import words

AT = datetime(2026, 11, 20, 13, 27, 52, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (7912, 0, "7,912"),
        (Decimal("-0.271"), 2, "\u22120.27"),
        (-0.001, 2, "0.00"),
        (0, 0, "0"),
        (1234567.5, 1, "1,234,567.5"),
    ],
)
def test_numbers_have_thousands_and_a_true_minus(value: words.Number, decimals: int, text: str) -> None:
    assert words.number(value, decimals) == text


def test_a_change_has_its_sign_and_no_change_has_none() -> None:
    assert [words.signed(value) for value in (0.01, -0.27, 0, -0.001)] == ["+0.01", "\u22120.27", "0.00", "0.00"]


def test_a_percentage_does_not_break_before_its_sign() -> None:
    assert words.percent(Decimal("0.05")) == "5\u00a0%"


@pytest.mark.parametrize(
    ("count", "text"), [(999, "999 bytes"), (3527, "3.5 kB"), (2_000_000, "2.0 MB"), (0, "0 bytes")]
)
def test_sizes_are_in_steps_of_a_thousand(count: int, text: str) -> None:
    assert words.size(count) == text.replace(" ", "\u00a0")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (3, "3 s ago"),
        (60, "1 min ago"),
        (38 * 60, "38 min ago"),
        (7200, "2 h ago"),
        (7 * 86400, "7 d ago"),
        (-3600, "in 1 h"),
    ],
)
def test_relative_times(seconds: int, text: str) -> None:
    assert words.relative(AT, AT + timedelta(seconds=seconds)) == text


def test_absolute_times_are_in_utc() -> None:
    there = AT.astimezone(tz=None)
    assert words.long_time(there) == "20 Nov 2026, 13:27:52 UTC"
    assert words.audit_time(there) == "2026-11-20 13:27:52 UTC"
    assert words.iso_time(there) == "2026-11-20T13:27:52Z"


@given(st.decimals(min_value=-(10**9), max_value=10**9, allow_nan=False, places=4))
def test_a_number_reads_back(value: Decimal) -> None:
    text = words.number(value, 4)
    assert Decimal(text.replace(",", "").replace("\u2212", "-")) == value
