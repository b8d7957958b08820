"""Values that break careless code, in every field of a result and of the order: refused with their place."""

import json
from typing import Any

import pytest

from gates.run_models import CaseResult, GateRun
from gates.runs.reading import ORDER_FIELDS
from gates.runs.results import FIELDS
from tests.gates.runs.comparing import Pair, rows, unscored

pytestmark = pytest.mark.django_db

HUGE = 10**400
HOSTILE: list[Any] = [
    "a\0b",
    "\ud800",
    HUGE,
    -HUGE,
    [HUGE],
    {"ragas": HUGE},
    ["a\0b"],
    ["\ud800"],
    {"a\0b": 1},
    {"\ud800": 1},
    {"ragas": "\ud800"},
    True,
    [True],
    -0.0,
    [[]],
    "x" * 300_000,
]
ORDINARY = {("score", "-0.0"), ("latency_ms", "-0.0")}


@pytest.fixture
def pair() -> Pair:
    return unscored()


def refused(answer: Any) -> dict[str, Any]:
    """A refusal that names fields."""
    assert answer.status_code in {400, 422}, answer.content[:500]
    problem: dict[str, Any] = answer.json()
    return problem


def test_no_value_of_a_results_field_breaks_anything(pair: Pair) -> None:
    for field in FIELDS:
        for value in HOSTILE:
            if (field, repr(value)) in ORDINARY:
                continue
            results = rows()[:5]
            results[3][field] = value
            problem = refused(pair.stage.send(pair.second, results))
            places = [error["field"] for error in problem.get("errors", [])]
            assert all(place.startswith(("results[3]", "line 1, column ")) for place in places), (field, value)
    assert CaseResult.objects.count() == 0
    assert not GateRun.objects.filter(state__in=["running", "queued", "done"]).exists()


def test_no_value_of_a_field_of_the_order_breaks_anything(pair: Pair) -> None:
    for field in ORDER_FIELDS:
        for value in HOSTILE:
            if (field, value) == ("dry_run", True):
                continue
            refused(pair.stage.send(pair.second, rows()[:1], **{field: value}))
    assert not GateRun.objects.exclude(state="error").exists()


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e400", "1" * 5_000])
def test_numbers_that_json_does_not_have_are_refused(pair: Pair, text: str) -> None:
    body = json.dumps({"judge": "external:j@1", "results": rows()}).replace(": 0.8,", f": {text},", 1)
    assert text in body
    refused(pair.stage.ci.post(f"releases/{pair.second.pk}/gate-runs?wait=5", body))
    assert not GateRun.objects.exclude(state="error").exists()


def test_a_huge_grade_of_a_suite_or_of_a_rating_is_refused(pair: Pair) -> None:
    rating = {"case_id": "ip-licensing-0000", "answer_id": "a", "rater": "anna", "grade": HUGE}
    refused(pair.stage.ci.post("ratings", {"suite": "scored-qa-legal-v3", "ratings": [rating]}))
    case = {
        "case_id": "c",
        "slice": "ip-licensing",
        "input": "?",
        "answers": [{"answer_id": "a", "human_scores": [HUGE]}],
    }
    answer = pair.stage.ci.client.post("/v1/suites?name=huge", json.dumps(case), content_type="application/x-ndjson")
    assert refused(answer)["errors"]
