"""What a run must meet beside its slices: floors, tokens, latency, feature snapshot, parity; and slice policies."""

from typing import Any

import pytest

from relcontrol.rehearsal.samples import graded
from tests.gates.runs.comparing import (
    CASES,
    SCORES,
    Pair,
    admin_sets,
    limit,
    new_stage,
    only,
    rows,
    scored,
    signed_off,
    unscored,
)
from tests.gates.runs.stage import Row, cases_of, results_of, stage

pytestmark = pytest.mark.django_db


def costing(**cost: Any) -> Pair:
    """A previous release whose every answer cost this."""
    pair = unscored()
    pair.stage.judged(pair.first, rows("a", **cost))
    return pair


def verdicts(document: Row, metric: str) -> tuple[str, str]:
    """Of one limit, and of the whole."""
    return limit(document, metric)["verdict"], document["verdict"]


@pytest.mark.parametrize(
    ("tokens", "verdict", "whole"),
    [
        (400, "pass", "gate_pass"),
        (1_000, "pass", "gate_pass"),
        (1_100, "pass", "gate_pass"),
        (1_101, "review", "gate_hold"),
        (1_150, "review", "gate_hold"),
        (1_151, "fail", "gate_fail"),
    ],
)
def test_more_tokens_are_a_review_from_ten_percent_on_and_a_failure_from_fifteen(
    tokens: int, verdict: str, whole: str
) -> None:
    pair = costing(input_tokens=600, output_tokens=400)
    document = pair.judged(rows(input_tokens=300, output_tokens=tokens - 300))
    assert verdicts(document, "tokens") == (verdict, whole)
    assert limit(document, "tokens")["previous"] == 1_000


def test_a_person_may_sign_for_more_tokens() -> None:
    pair = costing(input_tokens=1_000)
    document = pair.judged(rows(input_tokens=1_120))
    assert signed_off(pair.stage.person("release-manager"), document)["signed"] == ["limit:tokens"]
    assert pair.state()["standing"] == "pass"


@pytest.mark.parametrize(("cost", "reason"), [({}, "no answer brought tokens"), ({"input_tokens": 5}, "Not compared")])
def test_tokens_that_nobody_measured_do_not_count(cost: Row, reason: str) -> None:
    document = scored().judged(rows(**cost))
    assert verdicts(document, "tokens") == ("not_measured", "gate_pass")
    assert reason in limit(document, "tokens")["reasons"][0]


@pytest.mark.parametrize(
    ("milliseconds", "verdict", "whole"), [(1_200, "pass", "gate_pass"), (1_200.5, "fail", "gate_fail")]
)
def test_latency_may_be_one_point_two_times_the_previous_one(milliseconds: float, verdict: str, whole: str) -> None:
    document = costing(latency_ms=1_000).judged(rows(latency_ms=milliseconds))
    assert verdicts(document, "latency_p95_ratio") == (verdict, whole)


def test_the_slowest_five_percent_do_not_decide_on_latency() -> None:
    pair, results = costing(latency_ms=1_000), rows(latency_ms=1_000)
    for row in results[:3]:
        row["latency_ms"] = 60_000
    assert verdicts(pair.judged(results), "latency_p95_ratio") == ("pass", "gate_pass")


@pytest.mark.parametrize(
    ("cost", "verdict", "whole"),
    [
        ({"latency_ms": 2_000}, "pass", "gate_pass"),
        ({"latency_ms": 2_000.5}, "fail", "gate_fail"),
        ({}, "insufficient", "gate_hold"),
    ],
)
def test_an_absolute_limit_of_latency_needs_a_measurement(cost: Row, verdict: str, whole: str) -> None:
    pair = scored()
    admin_sets(pair.stage, latency_p95_ms=2_000)
    assert verdicts(pair.judged(rows(**cost)), "latency_p95") == (verdict, whole)


@pytest.mark.parametrize(
    ("scores", "verdict", "whole"),
    [
        ([0.78] * 60, "pass", "gate_pass"),
        ([0.7] * 30 + [0.86] * 30, "pass", "gate_pass"),
        ([0.779] * 60, "fail", "gate_fail"),
        ([None] * 3 + [0.9] * 57, "pass", "gate_pass"),
        ([None] * 4 + [0.9] * 56, "insufficient", "gate_hold"),
    ],
)
def test_a_named_floor_holds_for_the_mean_of_that_score(scores: list[float | None], verdict: str, whole: str) -> None:
    pair = scored()
    admin_sets(pair.stage, floors={"ragas": 0.78})
    results = [row | {"scores": {"ragas": score}} for row, score in zip(rows(), scores, strict=True)]
    document = pair.judged(results)
    (floor,) = document["floors"]
    assert (floor["metric"], floor["verdict"], document["verdict"]) == ("ragas", verdict, whole)


def test_a_named_floor_without_any_score_is_insufficient() -> None:
    pair = scored()
    admin_sets(pair.stage, floors={"rubric": 0.82})
    document = pair.judged(rows())
    assert (document["floors"][0]["verdict"], document["verdict"]) == ("insufficient", "gate_hold")
    assert "0 answers of 60" in document["floors"][0]["reasons"][0]


@pytest.mark.parametrize(
    ("claimed", "verdict"), [("snap-2026-03-01", "pass"), ("snap-2026-02-01", "fail"), (None, "insufficient")]
)
def test_the_feature_snapshot_must_be_that_of_the_manifest(claimed: str | None, verdict: str) -> None:
    here = new_stage()
    named = {"feature_view": "legal-features", "feature_snapshot": "snap-2026-03-01"}
    document = here.judged(here.register(components=named), rows(), feature_snapshot=claimed)
    assert limit(document, "feature_snapshot")["verdict"] == verdict


@pytest.mark.parametrize(
    ("policy", "verdict", "whole"),
    [("hold", "insufficient", "gate_hold"), ("review", "review", "gate_hold"), ("accept", "pass", "gate_pass")],
)
def test_policy_decides_on_answers_of_unknown_making(policy: str, verdict: str, whole: str) -> None:
    pair = scored()
    admin_sets(pair.stage, parity_not_claimed=policy)
    assert verdicts(pair.judged(rows(), parity=None), "parity") == (verdict, whole)


def test_a_changed_policy_is_no_reason_to_judge_the_same_evidence_again() -> None:
    pair = scored()
    before = pair.judged(rows())
    admin_sets(pair.stage, max_per_case_regression=5)
    assert pair.stage.send(pair.second, rows()).json()["code"] == "already_judged"
    assert pair.stage.ci.get(f"gate-runs/{before['gate_run_id']}").json()["verdict"] == before["verdict"]


@pytest.mark.parametrize(
    ("policy", "rho", "verdict", "evidence"),
    [
        ("point", 0.70, "pass", "unproven"),
        ("point", 0.60, "fail", "unproven"),
        ("guarded", 0.70, "review", "unproven"),
        ("guarded", 0.60, "fail", "unproven"),
        ("guarded", 0.90, "pass", "proven"),
        ("confident", 0.70, "insufficient", "unproven"),
        ("confident", 0.60, "insufficient", "unproven"),
        ("confident", 0.30, "fail", "proven"),
        ("confident", 0.90, "pass", "proven"),
    ],
)
def test_a_slices_policy_says_how_much_proof_it_asks_for(policy: str, rho: float, verdict: str, evidence: str) -> None:
    here, part = new_stage(policy=policy), graded(60, rho)
    agreement = only(here.judged(here.register(), results_of(CASES, part.scores, part.grades)))["agreement"]
    assert (agreement["policy"], agreement["verdict"], agreement["evidence"]) == (policy, verdict, evidence)


def test_the_policy_of_a_slice_holds_for_its_quality_too() -> None:
    here = new_stage(policy="guarded", quality_floor="0.49")
    found = only(here.judged(here.register(), rows()))
    assert found["quality"]["verdict"] == "review"
    assert found["quality"]["ci90"][0] < 0.49 < found["quality"]["mean"]


def test_two_children_that_fail_are_not_hidden_by_their_parent() -> None:
    children = {"legal-eu": graded(80, 0.53, low=0.0, high=0.65), "legal-us": graded(80, 0.55, low=0.35, high=1.0)}
    rules = {slug: {"threshold": "0.65", "parent": "legal", "quality_floor": "0.1"} for slug in children}
    cases = [case for slug in children for case in cases_of(slug, 80)]
    here = stage({"legal": {"threshold": "0.65", "quality_floor": "0.1"}} | rules, cases)
    results = [
        row for slug, part in children.items() for row in results_of(cases_of(slug, 80), part.scores, part.grades)
    ]
    document = here.judged(here.register(), results)
    found = {each["slice"]: each["agreement"] for each in document["slices"]}
    assert {slug: round(each["rho"], 2) for slug, each in found.items()} == {
        "legal": 0.73,
        "legal-eu": 0.53,
        "legal-us": 0.55,
    }
    assert (found["legal"]["verdict"], found["legal-eu"]["verdict"]) == ("pass", "fail")
    assert document["verdict"] == "gate_fail"


def test_cases_from_one_document_make_the_interval_wider() -> None:
    part = graded(30, 0.7)
    doubled = (
        [value for score in part.scores for value in (score, score + 0.001)],
        [value for grade in part.grades for value in (grade, grade + 0.001)],
    )
    width = {}
    for slug, clustered in (("northgate", False), ("eastgate", True)):
        cases = [case | ({"cluster_id": f"doc-{place // 2}"} if clustered else {}) for place, case in enumerate(CASES)]
        here = stage({"ip-licensing": {"threshold": "0.65", "quality_floor": "0.1"}}, cases, slug)
        low, high = only(here.judged(here.register(), results_of(cases, *doubled)))["agreement"]["ci90"]
        width[clustered] = high - low
    assert width[True] > 1.2 * width[False]


def test_a_floor_of_quality_that_the_mean_equals_is_met() -> None:
    here = new_stage(quality_floor="0.5")
    quality = only(here.judged(here.register(), rows()))["quality"]
    assert sum(SCORES) / 60 == pytest.approx(0.5)
    assert (quality["mean"], quality["verdict"]) == (pytest.approx(0.5), "pass")
