"""Judging a release on sent results, by the API: verdicts, reasons, refusals and receipts."""

import threading
import time
from typing import Any

import pytest
from django.test import RequestFactory
from rest_framework.request import Request

from gates.api import runs
from gates.run_models import CaseResult, GateRun
from relcontrol.errors import Malformed
from tests.gates.runs.stage import Stage, agreeing, cases_of, ramp, results_of, stage

pytestmark = pytest.mark.django_db

CASES = cases_of("ip-licensing", 60)


@pytest.fixture
def here() -> Stage:
    return stage({"ip-licensing": {"name": "IP licensing", "threshold": "0.65", "quality_floor": "0.4"}}, CASES)


def the_slice(document: dict[str, Any]) -> dict[str, Any]:
    (only,) = document["slices"]
    return dict(only)


def test_a_cold_start_is_held_for_want_of_a_comparison(here: Stage) -> None:
    scores, grades = agreeing(60, 0.8)
    document = here.judged(here.register(), results_of(CASES, scores, grades))
    found = the_slice(document)
    assert document["verdict"] == "gate_hold"
    assert found["agreement"]["verdict"] == "pass"
    assert found["agreement"]["source"] == "own"
    assert found["change"]["reason"] == "cold_start"
    assert here.last_statement()["event"] == "gate.held"


def passing_pair(here: Stage) -> dict[str, Any]:
    """Two releases, the second a little better in every answer."""
    scores, grades = agreeing(60, 0.8)
    here.judged(here.register(), results_of(CASES, [0.9 * score for score in scores], grades))
    better = [0.9 * score + 0.05 for score in scores]
    return here.judged(here.register(), results_of(CASES, better, grades, "b"))


def test_a_better_release_passes_and_says_so_in_a_receipt_that_verifies(here: Stage) -> None:
    document = passing_pair(here)
    assert document["verdict"] == "gate_pass", document["reasons"]
    assert the_slice(document)["change"]["movement"] == "improved"
    statement = here.last_statement()
    assert statement["event"] == "gate.passed"
    assert {entry["metric"] for entry in statement["decision"]["inputs"]} >= {"agreement", "quality", "change"}
    release = here.ci.get(f"releases/{document['release_id']}").json()
    assert (release["standing"], release["deployable"], release["why_not"]) == ("pass", True, [])


def test_a_uniformly_worse_release_with_perfect_ranks_fails_on_quality_and_change(here: Stage) -> None:
    here.judged(here.register(), results_of(CASES, ramp(60, 0.5, 0.9), ramp(60)))
    document = here.judged(here.register(), results_of(CASES, ramp(60, 0.1, 0.5), ramp(60), "b"))
    found = the_slice(document)
    assert document["verdict"] == "gate_fail"
    assert found["agreement"]["verdict"] == "pass"
    assert (found["quality"]["verdict"], found["change"]["verdict"]) == ("fail", "fail")


def test_a_perfect_release_is_not_insufficient_on_quality_for_its_constancy(here: Stage) -> None:
    here.judged(here.register(), results_of(CASES, ramp(60), ramp(60)))
    found = the_slice(here.judged(here.register(), results_of(CASES, [1.0] * 60, (), "b")))
    assert found["quality"]["verdict"] == "pass"
    assert found["change"]["verdict"] == "pass"


@pytest.mark.parametrize(
    ("count", "scores", "grades", "reason"),
    [
        (19, ramp(19), ramp(19), "too_few_cases"),
        (60, [*[None] * 4, *ramp(56)], ramp(60), "too_many_missing"),
        (60, [0.5] * 60, ramp(60), "judge_constant"),
        (60, ramp(60), [3.0] * 60, "human_constant"),
        (60, ramp(60), [], "no_cases"),
    ],
)
def test_what_cannot_be_judged_is_insufficient_with_the_reason_and_the_cases_needed(
    count: int, scores: list[float], grades: list[float], reason: str
) -> None:
    cases = cases_of("ip-licensing", count)
    here = stage({"ip-licensing": {"threshold": "0.65", "quality_floor": "0.4"}}, cases)
    found = the_slice(here.judged(here.register(), results_of(cases, scores, grades)))["agreement"]
    assert (found["verdict"], found["reason"]) == ("insufficient", reason)
    assert found["cases_needed"] >= 20


def test_a_slice_that_the_suite_does_not_have_is_insufficient(here: Stage) -> None:
    here.ci.post("slices", {"slug": "trademarks", "name": "Trademarks", "threshold": 0.65})
    document = here.judged(here.register(), results_of(CASES, ramp(60), ramp(60)))
    missing = next(each for each in document["slices"] if each["slice"] == "trademarks")
    assert (missing["verdict"], missing["agreement"]) == ("insufficient", None)
    assert document["verdict"] == "gate_hold"


def test_grades_of_other_answers_are_never_used(here: Stage) -> None:
    graded = results_of(CASES, ramp(60), ramp(60))
    ratings = [
        {"case_id": row["case_id"], "answer_id": "another", "rater": "r1", "grade": row["human_scores"][0]}
        for row in graded
    ]
    assert here.ci.post("ratings", {"suite": "scored-qa-legal-v3", "ratings": ratings}).status_code == 201
    found = the_slice(here.judged(here.register(), results_of(CASES, ramp(60))))["agreement"]
    assert (found["verdict"], found["reason"], found["rho"]) == ("insufficient", "grades_of_other_answers", None)


def test_a_text_under_the_name_of_another_graded_answer_is_refused() -> None:
    cases = [
        case | {"answers": [{"answer_id": "a1", "output": "Yes.", "human_scores": [4]}]}
        for case in cases_of("ip-licensing", 20)
    ]
    here = stage({"ip-licensing": {"threshold": "0.65"}}, cases)
    rows = [{"case_id": case["case_id"], "answer_id": "a1", "output": "No.", "score": 0.5} for case in cases]
    answer = here.send(here.register(), rows)
    assert (answer.status_code, answer.json()["code"]) == (422, "grades_of_other_answers")
    assert CaseResult.objects.count() == 0


def test_another_fingerprint_is_refused_with_both(here: Stage) -> None:
    release = here.register()
    answer = here.send(release, results_of(CASES, ramp(60)), parity="sha256:" + "0" * 64)
    assert (answer.status_code, answer.json()["code"]) == (422, "parity_mismatch")
    assert release.bundle_sha256 in answer.json()["detail"]
    assert not GateRun.objects.exists()


def test_without_a_fingerprint_the_gate_holds_and_says_so(here: Stage) -> None:
    document = here.judged(here.register(), results_of(CASES, ramp(60), ramp(60)), parity=None)
    assert document["parity"] == "not_claimed"
    assert any("parity" in reason for reason in document["reasons"])


def test_the_same_request_again_is_the_same_run(here: Stage) -> None:
    release, rows = here.register(), results_of(CASES, ramp(60))
    first = here.judged(release, rows)
    again = here.judged(release, rows)
    assert first["gate_run_id"] == again["gate_run_id"]
    assert here.events().count("gate.held") == 1


def test_a_second_verdict_on_the_same_evidence_is_refused_and_a_dry_run_is_not(here: Stage) -> None:
    here.judged(here.register(), results_of(CASES, ramp(60, 0.5, 0.9), ramp(60)))
    release = here.register()
    failed = here.judged(release, results_of(CASES, ramp(60, 0.1, 0.5), (), "b"))
    assert failed["verdict"] == "gate_fail"
    luckier = results_of(CASES, ramp(60, 0.5, 0.95), (), "c")
    answer = here.send(release, luckier)
    assert (answer.status_code, answer.json()["code"]) == (409, "already_judged")
    assert here.judged(release, luckier, dry_run=True)["dry_run"] is True
    assert here.ci.get(f"releases/{release.pk}").json()["standing"] == "fail"


def test_nothing_is_judged_and_nothing_kept_where_a_row_is_wrong(here: Stage) -> None:
    rows = results_of(CASES, ramp(60))
    rows[3]["score"], rows[7]["case_id"], rows[9]["extra"] = 1.5, "nowhere", 1
    answer = here.send(here.register(), rows)
    assert answer.status_code == 422
    assert {error["field"] for error in answer.json()["errors"]} == {
        "results[3].score",
        "results[7].case_id",
        "results[9].extra",
    }
    assert CaseResult.objects.count() == 0


@pytest.mark.parametrize(
    ("order", "field"),
    [
        ({"suite": "nowhere"}, "suite"),
        ({"judge": "jdg_" + "0" * 26}, "judge"),
        ({"judge": "legal judge"}, "judge"),
        ({"judge": None}, "judge"),
        ({"scale": [1, 0]}, "scale"),
        ({"dry_run": 1}, "dry_run"),
        ({"extra": 1}, "extra"),
        ({"results": []}, "results"),
        ({"results": {}}, "results"),
    ],
)
def test_an_order_that_cannot_be_carried_out_names_its_field_and_changes_nothing(
    here: Stage, order: dict[str, Any], field: str
) -> None:
    release, before = here.register(), len(here.events())
    answer = here.send(release, results_of(CASES, ramp(60)), **order)
    assert answer.status_code == 422, answer.content
    assert field in {error["field"] for error in answer.json()["errors"]}
    assert not GateRun.objects.exists()
    assert len(here.events()) == before


def test_more_grades_of_the_same_answers_are_new_evidence(here: Stage) -> None:
    here.judged(here.register(), results_of(CASES, ramp(60, 0.5, 0.9), ramp(60)))
    release, rows = here.register(), results_of(CASES, ramp(60, 0.1, 0.5), ramp(60), "b")
    failed = here.judged(release, rows)
    more = [row | {"human_scores": [*row["human_scores"], 0.5], "raters": ["unnamed-1", "anna"]} for row in rows]
    again = here.judged(release, more)
    assert again["gate_run_id"] != failed["gate_run_id"]
    assert again["verdict"] == "gate_fail"


@pytest.mark.parametrize("text", ["31", "0030999", "-1", "0" * 5000, "٣"])
def test_no_spelling_of_a_wait_holds_an_answer_longer_than_half_a_minute(rf: RequestFactory, text: str) -> None:
    with pytest.raises(Malformed):
        runs.wait_of(Request(rf.get("/v1/gate-runs/x", {"wait": text})))


def test_where_answers_are_held_already_nobody_else_is_kept_waiting(
    here: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = here.judged(here.register(), results_of(CASES, ramp(60)))["gate_run_id"]
    GateRun.objects.filter(pk=run).update(state="running")
    monkeypatch.setattr(runs, "HELD", threading.BoundedSemaphore(1))
    monkeypatch.setattr(time, "sleep", lambda _seconds: pytest.fail("the answer was held"))
    with runs.HELD:
        answer = here.ci.get(f"gate-runs/{run}", wait="30")
    assert answer.json()["state"] == "running"
