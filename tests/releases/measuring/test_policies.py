"""Further policies: each metric over the candidate's own traces, pairs and feedback of its window."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from relcontrol.accounts.models import Endpoint
from releases.measuring.folding import fold
from releases.measuring.policies import judge_policy
from releases.measuring.policy_definition import OUTPUT_TOKENS, Definition
from releases.measuring.policy_metrics import Measured
from releases.measuring.readings import measured
from releases.rollout_models import ReplayPair, Rollout
from releases.rollouts.evidence import Action, PolicyVerdict
from releases.trace_models import Feedback
from tests.releases.measuring.conftest import Horizon
from tests.releases.measuring.rows import ENTERED, GENERATION, Row, value_of, write

NOW = ENTERED + timedelta(minutes=5)
POLICY = Definition("P", "latency_p95_ms", 1_000.0, None, 300, 3, "rollback")


def _judged(rollout: Rollout, policy: Definition) -> PolicyVerdict:
    rollout.settings["policies"] = [policy.as_json()]
    fold(rollout, ENTERED)
    (verdict,) = measured(rollout, value_of(rollout), NOW).policies
    return verdict


def _said(rollout: Rollout, request: str, kind: str, value: float, name: str = "", seconds: int = 10) -> None:
    at = ENTERED + timedelta(seconds=seconds)
    values: dict[str, Any] = {"kind": kind, "name": name, "value": value, "created_by": "tok_1", "created_at": at}
    Feedback.objects.create(organization=rollout.organization, request_id=request, **values)


@pytest.mark.parametrize(
    ("metric", "changes", "shown"),
    [
        ("latency_p95_ms", {"latency_ms": 2_000.0}, "2000.00"),
        ("ttft_p95_ms", {"ttft_ms": 1_500.0}, "1500.00"),
        ("output_tokens_mean", {"output_tokens": 1_100}, "1100.00"),
    ],
)
def test_a_metric_of_traces_over_its_maximum_is_violated(
    rollout: Rollout, horizon: Horizon, metric: str, changes: dict[str, Any], shown: str
) -> None:
    write(rollout, [Row().but(**changes) for _ in range(3)])
    found = _judged(rollout, replace(POLICY, metric=metric))
    assert (found.violated, found.action) == (True, Action.ROLLBACK)
    assert f"is {shown} over 3 answers in 5 min, beyond the maximum of 1000.00" in found.reasons[0]


@pytest.mark.parametrize(
    "other",
    [
        {"arm": "stable"},
        {"error": "timeout"},
        {"generation": GENERATION - 1},
        {"started_at": ENTERED - timedelta(seconds=1)},
        {"rollout": "rol_other"},
    ],
    ids=str,
)
def test_traces_that_are_not_the_candidates_of_this_checkpoint_have_no_say(
    rollout: Rollout, horizon: Horizon, other: dict[str, Any]
) -> None:
    write(rollout, [Row(latency_ms=9_000.0).but(**other) for _ in range(30)])
    write(rollout, [Row() for _ in range(3)])
    assert not _judged(rollout, POLICY).violated


def test_what_lies_before_the_window_has_no_say(rollout: Rollout, horizon: Horizon) -> None:
    write(rollout, [Row(latency_ms=9_000.0) for _ in range(30)])
    write(rollout, [Row(started_at=NOW - timedelta(seconds=30)) for _ in range(3)])
    assert not _judged(rollout, replace(POLICY, window_seconds=60)).violated


def test_fewer_answers_than_needed_violate_nothing_and_say_so(rollout: Rollout, horizon: Horizon) -> None:
    write(rollout, [Row(latency_ms=9_000.0) for _ in range(2)])
    found = _judged(rollout, POLICY)
    assert not found.violated
    assert "is not judged, 2 answers of 3 in 5 min are too few" in found.reasons[0]


def test_the_cost_of_a_request_is_that_of_the_endpoints_prices(rollout: Rollout, horizon: Horizon) -> None:
    policy = replace(POLICY, metric="cost_per_request", maximum=0.5)
    write(rollout, [Row(input_tokens=100, output_tokens=10) for _ in range(3)])
    assert "has no prices" in _judged(rollout, policy).reasons[0]
    Endpoint.objects.create(
        organization=rollout.organization, name="main", base_url="http://127.0.0.1/v1", input_price=Decimal("0.002"),
        output_price=Decimal("0.04"), created_at=ENTERED,
    )  # fmt: skip
    found = _judged(rollout, policy)
    assert found.violated
    assert "is 0.60 over 3 answers" in found.reasons[0]


def test_streams_that_name_no_tokens_violate_nothing_and_say_so(rollout: Rollout, horizon: Horizon) -> None:
    write(rollout, [Row(input_tokens=None, output_tokens=None) for _ in range(9)])
    tokens = _judged(rollout, replace(POLICY, metric=OUTPUT_TOKENS, maximum=1.0))
    cost = _judged(rollout, replace(POLICY, metric="cost_per_request", maximum=0.0))
    assert (tokens.violated, cost.violated) == (False, False)
    assert "0 answers of 3" in tokens.reasons[0]
    assert "its answers name no tokens" in cost.reasons[0]


def test_the_refusals_are_those_that_rules_found_in_the_candidates_answers(rollout: Rollout, horizon: Horizon) -> None:
    findings = [[{"side": "candidate", "rule": "refusal"}], [{"side": "stable", "rule": "refusal"}], [], []]
    for number, each in enumerate(findings):
        ReplayPair.objects.create(
            organization=rollout.organization, rollout=rollout, checkpoint=1, slice="ip-licensing", request_id="r",
            trace_id=f"{number:032x}", trace_started_at=ENTERED, subject=bytes(16), served="candidate", state="scored",
            findings=each, created_at=ENTERED, scored_at=ENTERED + timedelta(seconds=5),
        )  # fmt: skip
    found = _judged(rollout, replace(POLICY, metric="refusal_rate", maximum=0.2))
    assert found.violated
    assert "the share of refusals is 25.00 % over 4 replayed pairs" in found.reasons[0]


def test_a_named_score_under_its_minimum_is_violated(rollout: Rollout, horizon: Horizon) -> None:
    write(rollout, [Row(request_id=f"q{number}") for number in range(3)])
    for number in range(3):
        _said(rollout, f"q{number}", "score", 0.5, "groundedness")
        _said(rollout, f"q{number}", "score", 1.0, "toxicity")
    policy = replace(POLICY, metric="score:groundedness", maximum=None, minimum=0.8, action="pause_for_review")
    found = _judged(rollout, policy)
    assert (found.violated, found.action) == (True, Action.PAUSE_FOR_REVIEW)
    assert "is 0.50 over 3 scores in 5 min, beyond the minimum of 0.80" in found.reasons[0]


def test_of_the_feedback_on_a_request_the_newest_counts(rollout: Rollout, horizon: Horizon) -> None:
    write(rollout, [Row(request_id=f"q{number}") for number in range(3)])
    for number in range(3):
        _said(rollout, f"q{number}", "thumb", -1, seconds=10)
        _said(rollout, f"q{number}", "thumb", 1, seconds=20)
    found = _judged(rollout, replace(POLICY, metric="thumbs_down_rate", maximum=0.2))
    assert not found.violated
    assert "is 0.00 % over 3 thumbs" in found.reasons[0]


def test_feedback_on_stables_answers_has_no_say(rollout: Rollout, horizon: Horizon) -> None:
    write(rollout, [Row(request_id=f"q{number}", arm="stable") for number in range(3)])
    for number in range(3):
        _said(rollout, f"q{number}", "outcome", 0)
    found = _judged(rollout, replace(POLICY, metric="task_completion_rate", maximum=None, minimum=0.5))
    assert "0 task outcomes of 3" in found.reasons[0]


def test_equality_with_a_limit_passes() -> None:
    assert not judge_policy(POLICY, Measured(1_000.0, 3)).violated
    assert judge_policy(POLICY, Measured(1_000.1, 3)).violated


def test_a_dry_policy_is_judged_and_has_no_effect(rollout: Rollout, horizon: Horizon) -> None:
    write(rollout, [Row(latency_ms=9_000.0) for _ in range(3)])
    found = _judged(rollout, replace(POLICY, dry=True))
    assert (found.violated, found.dry) == (True, True)
    assert not list(measured(rollout, value_of(rollout), NOW).breaches())
