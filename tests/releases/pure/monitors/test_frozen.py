"""Errors at 100 %, against the frozen baseline."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.statistics.policies import Evidence
from releases.monitors.arms import ArmSums
from releases.monitors.error_rate import ErrorBaseline, judge_errors_frozen
from releases.monitors.evidence import MONITOR_ALARM, Alarm
from releases.monitors.frozen import Events, garwood_lower, garwood_upper, log_above, log_below
from releases.monitors.verdict import MonitorVerdict, Reading
from tests.releases.pure.monitors.samples import arm, unhurried

ALARM = Alarm(180.0, whole_rollout=True)
BASELINE = ErrorBaseline(arm(100, 10_000), age_hours=2)


def _judged(candidate: ArmSums, baseline: ErrorBaseline = BASELINE, subjects: int = 200) -> MonitorVerdict:
    return judge_errors_frozen(candidate, baseline, subjects=subjects, alarm=ALARM)


def test_a_rate_far_above_the_baseline_breaches() -> None:
    verdict = _judged(arm(60, 1000))
    assert (verdict.reading, verdict.evidence) == (Reading.BREACH, Evidence.PROVEN)
    assert verdict.estimate == pytest.approx(6)


def test_a_rate_a_little_above_its_limit_holds() -> None:
    assert _judged(arm(16, 1000)).reading is Reading.HOLD


def test_a_rate_far_below_its_limit_is_proven_in_time() -> None:
    verdict = _judged(arm(50, 10_000))
    assert (verdict.reading, verdict.evidence) == (Reading.OK, Evidence.PROVEN)


def test_an_old_baseline_only_holds_and_says_so() -> None:
    verdict = _judged(arm(60, 1000), ErrorBaseline(arm(100, 10_000), age_hours=25))
    assert verdict.reading is Reading.HOLD
    assert "The frozen baseline is 25 hours old: after 24 hours it only holds." in verdict.reasons


def test_a_small_baseline_only_holds_and_says_so() -> None:
    verdict = _judged(arm(60, 1000), ErrorBaseline(arm(9, 999), age_hours=1))
    assert verdict.reading is Reading.HOLD
    assert "The frozen baseline has 999 requests: under 1,000 it only holds." in verdict.reasons


def test_a_baseline_of_exactly_24_hours_and_1000_requests_is_used() -> None:
    assert _judged(arm(100, 1000), ErrorBaseline(arm(10, 1000), age_hours=24)).reading is Reading.BREACH


def test_an_outage_breaches_without_a_baseline() -> None:
    assert _judged(arm(40, 100, subjects=1), ErrorBaseline(ArmSums(), age_hours=0), subjects=1).reading is (
        Reading.BREACH
    )


def test_no_requests_hold() -> None:
    assert _judged(ArmSums(), subjects=0).reading is Reading.HOLD


@unhurried
@given(errors=st.integers(0, 50), requests=st.integers(50, 50_000), baseline=st.integers(0, 200))
def test_a_rate_within_its_limit_never_breaches(errors: int, requests: int, baseline: int) -> None:
    frozen = ErrorBaseline(arm(baseline, 10_000), age_hours=1)
    verdict = judge_errors_frozen(arm(errors, requests), frozen, subjects=200, alarm=MONITOR_ALARM)
    if errors / requests <= 1.5 * baseline / 10_000:
        assert verdict.reading is not Reading.BREACH


@unhurried
@given(x=st.integers(0, 200), n=st.integers(200, 20_000), rate=st.floats(1e-4, 0.2))
def test_evidence_on_one_side_is_none_on_the_other(x: int, n: int, rate: float) -> None:
    above, below = log_above(Events(x, n), rate), log_below(Events(x, n), rate)
    assert min(above, below) <= 1e-9


@unhurried
@given(x=st.integers(0, 500), n=st.integers(1000, 20_000))
def test_the_bounds_enclose_the_rate(x: int, n: int) -> None:
    assert garwood_lower(Events(x, n), 0.025) <= x / n < garwood_upper(Events(x, n), 0.025)


def test_without_requests_nothing_is_bounded_and_nothing_is_evidence() -> None:
    assert garwood_upper(Events(0, 0), 0.025) == float("inf")
    assert log_above(Events(3, 100), float("inf")) == log_below(Events(3, 100), 0.0) == 0.0
