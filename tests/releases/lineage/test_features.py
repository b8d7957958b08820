"""Feature values of a request, checked in time."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from releases.lineage.features import MaxAge, judged, max_age_of

AT = datetime(2026, 11, 21, 16, tzinfo=UTC)
VIEW = {
    "kind": "feature_view",
    "max_age_seconds": 3600,
    "features": [{"name": "plan", "max_age_seconds": 60}, {"name": "region", "max_age_seconds": None}],
}
ALLOWED = max_age_of("views/user@v2", VIEW)


def one(as_of: Any, name: str = "balance") -> Any:
    return judged({"features": [{"name": name, "as_of": as_of, "value": 3}]}, AT, ALLOWED)[0]


@pytest.mark.parametrize(
    ("name", "ago", "verdict"),
    [
        ("balance", 3600, "in_time"),
        ("balance", 3601, "stale"),
        ("plan", 60, "in_time"),
        ("plan", 61, "stale"),
        ("region", 3601, "stale"),
        ("balance", 0, "in_time"),
        ("balance", -1, "in_time"),
        ("balance", -1.01, "future"),
        ("balance", -86_400, "future"),
    ],
)
def test_a_value_is_of_the_future_stale_or_in_time(name: str, ago: float, verdict: str) -> None:
    found = one((AT - timedelta(seconds=ago)).isoformat(), name)
    assert (found.verdict, found.age_seconds) == (verdict, pytest.approx(ago))
    assert found.sentence.startswith(f"{name} ")
    assert found.wrong == (verdict in {"future", "stale"})


def test_the_sentence_names_how_old_it_is_and_what_is_allowed() -> None:
    assert one((AT - timedelta(hours=5)).isoformat()).sentence == (
        "balance is stale: 5 h old, and views/user@v2 allows 60 min."
    )
    assert one((AT + timedelta(days=2)).isoformat()).sentence == (
        "balance is from the future: it describes 2 days after the request."
    )


def test_a_time_without_a_zone_is_utc_and_another_zone_is_turned() -> None:
    assert one("2026-11-21T15:59:50").age_seconds == 10
    assert one("2026-11-21T16:59:50+01:00").age_seconds == 10


@pytest.mark.parametrize("as_of", [None, "yesterday", 5, "", "9999-12-31T23:59:59-23:59", [], "x" * 5000])
def test_without_a_time_it_is_undated(as_of: Any) -> None:
    assert one(as_of).verdict == "undated"


def test_of_a_view_that_was_never_registered_no_age_is_too_large() -> None:
    rows = {"features": [{"name": "balance", "as_of": "1999-01-01T00:00:00Z"}]}
    assert [row.verdict for row in judged(rows, AT, max_age_of("views/user@v2", None))] == ["in_time"]


def test_the_wrong_ones_come_first_else_as_they_were_sent() -> None:
    ages = {"a": 1, "b": 9999, "c": 2, "d": -9}
    rows = [{"name": name, "as_of": (AT - timedelta(seconds=age)).isoformat()} for name, age in ages.items()]
    assert [row.name for row in judged({"features": rows}, AT, ALLOWED)] == ["b", "d", "a", "c"]


def test_open_telemetry_sends_them_as_json_text() -> None:
    text = json.dumps([{"name": "balance", "as_of": AT.isoformat(), "value": {"eur": "3.00"}}])
    (found,) = judged({"features": text}, AT, ALLOWED)
    assert (found.name, found.value) == ("balance", {"eur": "3.00"})


@pytest.mark.parametrize(
    "metadata", [None, {}, [], {"features": None}, {"features": "{"}, {"features": {"a": 1}}, {"features": [1, None]}]
)
def test_what_names_no_features_has_none(metadata: Any) -> None:
    assert judged(metadata, AT, MaxAge("")) == []
