"""What a gate policy may say: ranges at their ends, every problem at once, the same digest for the same numbers."""

from decimal import Decimal
from typing import Any

import pytest

from gates.policies.definition import POLICY_SCHEMA, Definition, definition_from
from gates.policies.rules import changed_definition
from relcontrol.bundle.canonical import sha256_hex
from relcontrol.errors import Invalid

START = Definition()


def refused(fields: dict[str, Any]) -> set[str]:
    with pytest.raises(Invalid) as caught:
        changed_definition(START, fields)
    return {error.field for error in caught.value.errors}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_per_case_regression", Decimal("0.0001")),
        ("max_per_case_regression", Decimal(100)),
        ("tokens_review_percent", None),
        ("tokens_fail_percent", Decimal(1000)),
        ("latency_p95_ms", Decimal(800)),
        ("latency_p95_ratio", Decimal(1)),
        ("latency_p95_ratio", Decimal(100)),
        ("override_hours", 1),
        ("override_hours", 168),
        ("parity_not_claimed", "review"),
        ("second_person", False),
        ("small_drops_need_review", True),
        ("floors", {"ragas": Decimal("-0.5"), "rubric.v2": Decimal(0)}),
    ],
)
def test_a_value_at_the_end_of_its_range_is_taken_and_the_rest_stays(name: str, value: Any) -> None:
    after = changed_definition(START, {name: value})
    assert getattr(after, name) == value
    assert {**after.as_json(), name: None} == {**START.as_json(), name: None}


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("max_per_case_regression", Decimal(0), "max_per_case_regression"),
        ("max_per_case_regression", Decimal("100.0001"), "max_per_case_regression"),
        ("max_per_case_regression", None, "max_per_case_regression"),
        ("max_per_case_regression", Decimal("NaN"), "max_per_case_regression"),
        ("max_per_case_regression", Decimal("1.00001"), "max_per_case_regression"),
        ("tokens_fail_percent", Decimal("Infinity"), "tokens_fail_percent"),
        ("tokens_fail_percent", Decimal(0), "tokens_fail_percent"),
        ("tokens_review_percent", Decimal(16), "tokens_review_percent"),
        ("latency_p95_ms", Decimal(0), "latency_p95_ms"),
        ("latency_p95_ratio", Decimal("0.99"), "latency_p95_ratio"),
        ("latency_p95_ratio", True, "latency_p95_ratio"),
        ("override_hours", 0, "override_hours"),
        ("override_hours", 169, "override_hours"),
        ("override_hours", True, "override_hours"),
        ("second_person", 1, "second_person"),
        ("parity_not_claimed", "maybe", "parity_not_claimed"),
        ("floors", [], "floors"),
        ("floors", {"Ragas": Decimal(1)}, "floors"),
        ("floors", {"ragas": Decimal("NaN")}, "floors.ragas"),
        ("floors", {f"f{number}": Decimal(1) for number in range(21)}, "floors"),
        ("nothing", 1, "nothing"),
    ],
)
def test_a_value_outside_its_range_is_refused_by_name(name: str, value: Any, field: str) -> None:
    assert refused({name: value}) == {field}


def test_every_wrong_field_is_told_at_once() -> None:
    wrong = {"max_per_case_regression": Decimal(0), "override_hours": 0, "floors": {"": Decimal(1)}}
    assert refused(wrong) == {"max_per_case_regression", "override_hours", "floors"}


def test_tokens_may_be_reviewed_from_where_they_fail_but_not_later() -> None:
    assert changed_definition(START, {"tokens_review_percent": Decimal(15)}).tokens_review_percent == 15
    assert refused({"tokens_fail_percent": Decimal(9)}) == {"tokens_review_percent"}


def test_a_stored_definition_reads_back_as_itself() -> None:
    definition = changed_definition(START, {"floors": {"ragas": Decimal("0.780")}, "latency_p95_ms": Decimal(900)})
    assert definition_from(definition.as_json()) == definition


def test_the_digest_is_over_decimal_strings_with_every_key() -> None:
    stored = START.as_json()
    assert stored["latency_p95_ratio"] == "1.2"
    assert stored["latency_p95_ms"] is None
    assert START.sha256() == sha256_hex({"schema": POLICY_SCHEMA, **stored})


def test_the_same_numbers_in_another_spelling_have_the_same_digest() -> None:
    assert changed_definition(START, {"max_per_case_regression": Decimal("3.00")}).sha256() == START.sha256()
