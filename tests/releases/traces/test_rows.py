"""What makes a row of traces right, and what is said of one that is not."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relcontrol.model_servers.outcomes import OTHER_ENDS, RELEASE_ERRORS
from releases.traces.rows import MAX_BODY, Rejection, Row, read_row
from tests.releases.traces.samples import NOW, WINDOW, trace_row

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda values: st.lists(values, max_size=4) | st.dictionaries(st.text(max_size=8), values, max_size=4),
    max_leaves=12,
)
FIELDS = sorted(trace_row())


def read(**changes: Any) -> Row:
    row = read_row(0, trace_row(**changes), WINDOW)
    assert isinstance(row, Row), row
    return row


def refusal(**changes: Any) -> tuple[str, str]:
    """The code, and the field that the sentence begins with."""
    refused = read_row(7, trace_row(**changes), WINDOW)
    assert isinstance(refused, Rejection)
    assert refused.row == 7
    return refused.code, refused.detail.split(":")[0]


def test_a_row_keeps_what_was_sent() -> None:
    row = read()
    assert {name: row.columns[name] for name in ("release", "arm", "latency_ms", "status")} == {
        "release": "a" * 64,
        "arm": "candidate",
        "latency_ms": 900.0,
        "status": 200,
    }
    assert json.loads(row.body or b"") == {name: trace_row()[name] for name in ("input", "output", "metadata")}


def test_only_identity_time_and_subject_are_needed() -> None:
    sent = {name: trace_row()[name] for name in ("trace_id", "started_at", "request_id", "subject")}
    row = read_row(0, sent, WINDOW)
    assert isinstance(row, Row)
    assert row.body is None


@pytest.mark.parametrize("field", ["trace_id", "started_at", "request_id", "subject"])
def test_what_is_needed_must_be_there(field: str) -> None:
    assert refusal(**{field: None}) == ("required", field)


@pytest.mark.parametrize("error", sorted(RELEASE_ERRORS | OTHER_ENDS))
def test_every_word_of_outcomes_is_known(error: str) -> None:
    assert read(error=error).columns["error"] == error


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("trace_id", "A" * 32, "wrong_type"),
        ("trace_id", "a" * 31, "wrong_type"),
        ("subject", "", "out_of_range"),
        ("release", "a" * 65, "out_of_range"),
        ("release", 5, "wrong_type"),
        ("route", "rte\0", "not_text"),
        ("subject", "\ud800", "not_text"),
        ("arm", "canary", "unknown_value"),
        ("error", "oops", "unknown_value"),
        ("error", ["timeout"], "unknown_value"),
        ("generation", -1, "out_of_range"),
        ("generation", 1.0, "wrong_type"),
        ("status", True, "wrong_type"),
        ("status", 20, "out_of_range"),
        ("input_tokens", 2**31, "out_of_range"),
        ("latency_ms", float("nan"), "out_of_range"),
        ("latency_ms", float("inf"), "out_of_range"),
        ("ttft_ms", "120", "wrong_type"),
        ("ttft_ms", True, "wrong_type"),
        ("input", 5, "wrong_type"),
        ("output", ["Yes."], "wrong_type"),
        ("metadata", "legal", "wrong_type"),
        ("colour", "red", "unknown_field"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_field(field: str, value: Any, code: str) -> None:
    assert refusal(**{field: value}) == (code, field)


def test_a_row_that_is_no_object_is_refused() -> None:
    assert read_row(3, ["trace"], WINDOW) == Rejection(3, "wrong_type", "row: Must be an object.")


def test_a_body_without_a_form_in_json_is_refused() -> None:
    assert refusal(metadata={"share": float("nan")})[0] == "not_json"
    assert refusal(metadata={"share": object()})[0] == "not_json"


def test_a_body_that_is_nested_too_deeply_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert refusal(metadata={"deep": deep})[0] == "too_deep"


def test_a_body_may_have_a_mebibyte_and_not_a_byte_more() -> None:
    empty = len(read(input="", output=None, metadata={}).body or b"")
    assert len(read(input="x" * (MAX_BODY - empty), output=None, metadata={}).body or b"") == MAX_BODY
    assert refusal(input="x" * (MAX_BODY - empty + 1), output=None, metadata={}) == ("too_large", "body")


def test_half_of_a_surrogate_pair_in_an_answer_is_kept() -> None:
    assert json.loads(read(output="a\ud83d").body or b"")["output"] == "a\ud83d"


def test_nul_in_an_answer_is_kept() -> None:
    assert json.loads(read(output="a\0b").body or b"")["output"] == "a\0b"


@pytest.mark.parametrize("at", [NOW - timedelta(days=30), NOW + timedelta(minutes=5)])
def test_the_ends_of_the_window_are_inside(at: datetime) -> None:
    assert read(started_at=at.isoformat()).columns["started_at"] == at


@pytest.mark.parametrize("at", [NOW - timedelta(days=30, microseconds=1), NOW + timedelta(minutes=5, microseconds=1)])
def test_a_time_beyond_the_window_is_refused(at: datetime) -> None:
    assert refusal(started_at=at.isoformat()) == ("time_out_of_range", "started_at")


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_the_ends_of_the_calendar_are_refused_like_any_other_time(at: str) -> None:
    assert refusal(started_at=at) == ("time_out_of_range", "started_at")


def test_a_time_without_an_offset_is_refused() -> None:
    assert refusal(started_at="2026-11-21T15:59:59") == ("no_time_zone", "started_at")


def test_a_time_that_is_none_is_refused() -> None:
    assert refusal(started_at="yesterday") == ("wrong_type", "started_at")
    assert refusal(started_at=1_795_276_799) == ("wrong_type", "started_at")


def test_the_same_hour_of_a_night_on_which_clocks_go_back_is_two_times() -> None:
    first, second = (read(started_at=f"2026-10-25T02:30:00+0{hours}:00").columns["started_at"] for hours in (2, 1))
    assert second - first == timedelta(hours=1)


@given(JSON)
def test_any_json_is_a_row_or_a_reason(value: Any) -> None:
    assert isinstance(read_row(0, value, WINDOW), (Row, Rejection))


@given(st.sampled_from(FIELDS), JSON)
def test_any_value_in_any_field_is_taken_or_refused(field: str, value: Any) -> None:
    assert isinstance(read_row(0, trace_row(**{field: value}), WINDOW), (Row, Rejection))
