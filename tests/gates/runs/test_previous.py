"""What a run is compared with: the previous release's scores, single cases that fell, and who may let them pass."""

import json
from typing import Any

import pytest

from gates.statistics.sentences import PREVIOUS_NOT_SCORED
from gates.suites import carry_out, request_import
from tests.factories import Api
from tests.gates.runs.comparing import (
    CASES,
    REASON,
    SCORES,
    Pair,
    admin_sets,
    new_stage,
    only,
    rows,
    scored,
    signed_off,
    unscored,
    with_drop,
)
from tests.gates.runs.stage import SUITE, cases_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair() -> Pair:
    return scored()


def change_of(document: dict[str, Any]) -> dict[str, Any]:
    return dict(only(document)["change"])


def test_a_previous_release_that_was_never_judged_is_asked_for() -> None:
    document = unscored().judged(rows())
    assert document["verdict"] == "gate_hold"
    assert change_of(document)["reason"] == "previous_not_scored"
    assert change_of(document)["reasons"] == [PREVIOUS_NOT_SCORED]


def test_scores_of_the_previous_release_by_another_judge_are_not_compared() -> None:
    pair = unscored()
    pair.stage.judged(pair.first, rows("a"), judge="external:another@1")
    assert change_of(pair.judged(rows()))["reason"] == "previous_not_scored"


def test_scores_of_the_previous_release_on_another_suite_are_not_compared() -> None:
    here = new_stage()
    other = "\n".join(json.dumps(case) for case in cases_of("ip-licensing", 61)).encode()
    carry_out(request_import(actor=here.actor, name="another-suite", body=other, file_format="jsonl"))
    first = here.register(dataset_version="another-suite")
    here.judged(first, rows("a"))
    assert change_of(here.judged(here.register(), rows()))["reason"] == "previous_not_scored"
    here.judged(first, rows("a"), suite=SUITE, dry_run=True)
    assert change_of(here.judged(here.releases[-1], rows("c")))["verdict"] == "pass"


def test_another_suite_than_the_manifests_is_for_dry_runs_only() -> None:
    here = new_stage()
    other = "\n".join(json.dumps(case) for case in cases_of("ip-licensing", 61)).encode()
    carry_out(request_import(actor=here.actor, name="another-suite", body=other, file_format="jsonl"))
    answer = here.send(here.register(), rows(), suite="another-suite")
    assert (answer.status_code, answer.json()["code"]) == (422, "suite_differs")


def test_a_dry_run_of_the_previous_release_supplies_its_scores_to_the_same_request() -> None:
    pair = unscored()
    held = pair.judged(rows())
    pair.stage.judged(pair.first, rows("a"), dry_run=True)
    again = pair.judged(rows())
    assert again["gate_run_id"] != held["gate_run_id"]
    assert (change_of(again)["verdict"], again["verdict"]) == ("pass", "gate_pass")
    assert pair.state()["standing"] == "pass"


def test_a_dry_run_has_no_effect_and_no_receipt(pair: Pair) -> None:
    before = pair.stage.events()
    document = pair.judged(rows(), dry_run=True)
    assert (document["verdict"], document["receipt"]) == ("gate_pass", None)
    assert (pair.stage.events(), pair.state()["standing"]) == (before, "none")


def test_without_a_floor_of_its_own_a_slice_may_fall_five_points_below_the_previous_level() -> None:
    pair = unscored(quality_floor=None)
    pair.stage.judged(pair.first, rows("a"))
    quality = only(pair.judged(rows()))["quality"]
    assert (quality["floor_source"], quality["floor"]) == ("previous", pytest.approx(0.45))


def test_agreement_that_fell_on_the_same_cases_is_left_for_review(pair: Pair) -> None:
    worse = SCORES[:10] + SCORES[50:] + SCORES[20:50] + SCORES[10:20]
    document = pair.judged(rows(scores=worse))
    assert change_of(document)["agreement_movement"] == "dropped"
    assert change_of(document)["verdict"] == "review"


def test_a_drop_equal_to_the_limit_is_none(pair: Pair) -> None:
    document = pair.judged(with_drop(3))
    assert (change_of(document)["flagged"], document["verdict"]) == (0, "gate_pass")


def test_a_larger_drop_waits_for_fresh_scores(pair: Pair) -> None:
    document = pair.judged(with_drop(3.001))
    (flagged,) = document["cases"]["flagged"]
    assert flagged["case_id"] == CASES[30]["case_id"]
    assert (flagged["state"], flagged["allowlisted"]) == ("flagged_unconfirmed", False)
    assert flagged["drop"] == pytest.approx(3.001)
    assert (change_of(document)["verdict"], document["verdict"]) == ("review", "gate_hold")


def test_fresh_scores_clear_a_case(pair: Pair) -> None:
    results = with_drop(10)
    fresh = [SCORES[30]] * 3
    results[30] |= {"rescores": fresh, "previous_rescores": fresh}
    document = pair.judged(results)
    assert (document["cases"]["flagged_count"], document["verdict"]) == (0, "gate_pass")


def test_fresh_scores_confirm_a_regression_which_fails(pair: Pair) -> None:
    results = with_drop(10)
    results[30] |= {"rescores": [0.4, 0.4], "previous_rescores": [0.5, 0.5]}
    document = pair.judged(results)
    assert document["cases"]["flagged"][0]["state"] == "regressed"
    assert (change_of(document)["verdict"], document["verdict"]) == ("fail", "gate_fail")


def test_fresh_scores_of_one_side_only_are_refused(pair: Pair) -> None:
    results = with_drop(10)
    results[30] |= {"rescores": [0.4, 0.4], "previous_rescores": [0.5]}
    answer = pair.stage.send(pair.second, results)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "results[30].previous_rescores"


def test_a_signature_lifts_what_was_left_for_review(pair: Pair) -> None:
    document = pair.judged(with_drop(10))
    assert pair.state()["standing"] == "hold"
    signed = signed_off(pair.stage.person("domain-owner"), document)
    assert (signed["passes"], signed["open"]) == (True, [])
    assert (pair.state()["standing"], pair.state()["deployable"]) == ("pass", True)
    assert pair.stage.last_statement()["event"] == "gate.signed_off"


def test_a_signature_lifts_nothing_that_is_insufficient() -> None:
    pair = scored()
    document = pair.judged(with_drop(10), parity=None)
    signed = signed_off(pair.stage.person("domain-owner"), document)
    assert (signed["passes"], signed["not_lifted"]) == (False, ["limit:parity"])
    assert pair.state()["standing"] == "hold"


def allowlisted(pair: Pair, reviewer: Api, place: int = 30) -> None:
    entry = {"suite": SUITE, "case_id": CASES[place]["case_id"], "justification": REASON}
    proposed = pair.stage.ci.post("allowlist", entry)
    assert proposed.status_code == 201, proposed.content
    key = proposed.json()["allowlist_id"]
    assert reviewer.post(f"allowlist/{key}/approve", {"comment": "Looked at it; it is right."}).status_code == 200


def test_an_allowlisted_case_is_tolerated_and_said_to_be(pair: Pair) -> None:
    allowlisted(pair, pair.stage.person("domain-owner"))
    document = pair.judged(with_drop(10))
    (flagged,) = document["cases"]["flagged"]
    assert (flagged["state"], flagged["allowlisted"]) == ("tolerated", True)
    assert document["verdict"] == "gate_pass"


def test_a_case_that_is_allowlisted_later_is_tolerated_when_the_same_request_comes_again(pair: Pair) -> None:
    held = pair.judged(with_drop(10))
    allowlisted(pair, pair.stage.person("domain-owner"))
    again = pair.judged(with_drop(10))
    assert (held["verdict"], again["verdict"]) == ("gate_hold", "gate_pass")


def test_small_drops_are_looked_at_by_a_person_where_policy_says_so(pair: Pair) -> None:
    admin_sets(pair.stage, small_drops_need_review=True)
    document = pair.judged(with_drop(1))
    assert change_of(document)["verdict"] == "review"
    assert signed_off(pair.stage.person("domain-owner"), document)["passes"] is True
    assert pair.state()["standing"] == "pass"


def test_a_case_weighs_once_however_often_it_was_answered(pair: Pair) -> None:
    twice = []
    for row, score in zip(rows(), SCORES, strict=True):
        twice += [row | {"output": f"first {row['output']}", "score": score - 0.1}]
        twice += [row | {"output": f"second {row['output']}", "score": score + 0.1}]
    found = only(pair.judged(twice))
    assert (found["agreement"]["n"], found["quality"]["n"], found["change"]["n"]) == (120, 60, 60)
    assert found["quality"]["mean"] == pytest.approx(0.5)
    assert found["change"]["mean_difference"] == pytest.approx(0.0)


def test_cases_without_a_score_count_as_missing_and_never_as_nought(pair: Pair) -> None:
    found = only(pair.judged(rows(scores=[None, None, *SCORES[2:]])))
    assert found["quality"]["n"] == 58
    assert found["change"]["mean_difference"] == pytest.approx(0.0)


def test_answers_that_failed_are_missing(pair: Pair) -> None:
    results = rows()
    for row in results[:4]:
        for name in ("output", "score", "human_scores"):
            del row[name]
        row["error"] = "upstream 503"
    document = pair.judged(results)
    assert (document["cases"]["missing"], document["cases"]["of"]) == (4, 60)
    assert only(document)["quality"]["reason"] == "too_many_missing"
    assert document["verdict"] == "gate_hold"


def test_agreement_of_another_judge_is_no_agreement_to_compare_with() -> None:
    pair = unscored()
    pair.stage.judged(pair.first, rows("a"), judge="external:another@1")
    found = only(pair.judged(rows()))["agreement"]
    assert (found["previous_rho"], found["change"]) == (None, None)
