"""What an evaluation is asked for: each field with its limits, and a digest of the whole."""

import json
from decimal import Decimal
from typing import Any

import pytest

from gates.evaluating.order import EvaluationOrder, read_evaluation_order
from relcontrol.errors import Invalid
from relcontrol.model_servers.spending import Budget


def test_nothing_said_is_one_answer_to_each_case_of_the_manifests_suite() -> None:
    assert read_evaluation_order({}) == EvaluationOrder(None, None, 1, Budget(), 8)


@pytest.mark.parametrize(("written", "amount"), [(2, "2"), (0.1, "0.1"), ("2.50", "2.50"), ("0.0001", "0.0001")])
def test_money_is_what_was_written(written: object, amount: str) -> None:
    assert read_evaluation_order({"budget": {"cost": written}}).budget.cost == Decimal(amount)


def test_every_part_of_an_order_makes_another_request() -> None:
    changes: list[dict[str, Any]] = [
        {},
        {"suite": "a"},
        {"judge": "rules:default@1"},
        {"samples": 2},
        {"budget": {"cases": 5}},
        {"budget": {"tokens": 5}},
        {"budget": {"cost": 5}},
        {"concurrency": 2},
        {"fresh": True},
        {"dry_run": True},
        {"branch": "main"},
        {"commit": "abc"},
        {"feature_snapshot": "sha256:0"},
    ]
    assert len({read_evaluation_order(change).sha256() for change in changes}) == len(changes)
    assert read_evaluation_order({"samples": 2}).sha256() == read_evaluation_order({"samples": 2}).sha256()


WRONG: list[dict[str, Any]] = [
    {"samples": 0},
    {"samples": 6},
    {"samples": True},
    {"samples": "2"},
    {"concurrency": 0},
    {"concurrency": 65},
    {"budget": 5},
    {"budget": {"cases": 0}},
    {"budget": {"tokens": 1.5}},
    {"budget": {"cost": -1}},
    {"budget": {"cost": 0}},
    {"budget": {"cost": "much"}},
    {"budget": {"cost": True}},
    {"budget": {"cost": "NaN"}},
    {"budget": {"money": 5}},
    {"fresh": "yes"},
    {"dry_run": 1},
    {"suite": 7},
    {"parity": "sha256:00"},
    {"scale": [0, 1]},
    {"grade_scale": [0, 1]},
    {"draws": 3},
    {"results": None},
]


@pytest.mark.parametrize("body", WRONG, ids=json.dumps)
def test_a_wrong_order_names_its_field(body: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refusal:
        read_evaluation_order(body)
    named = {error.field.partition(".")[0] for error in refusal.value.errors}
    assert named == set(body)
