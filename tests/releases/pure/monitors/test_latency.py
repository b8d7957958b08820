"""p95 latency against stable: histograms, bounds and the verdict."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.statistics.policies import Evidence
from releases.monitors.evidence import MONITOR_ALARM, Alarm
from releases.monitors.latencies import LatencySums, bin_of, edge_of
from releases.monitors.latency import LatencyBaseline, judge_latency
from releases.monitors.quantile_bounds import log_above, log_below, ranks_at_every_look
from releases.monitors.verdict import MonitorVerdict, Reading
from tests.releases.pure.monitors.samples import LATENCY_CHUNKS, unhurried

ALARM = Alarm(480.0, whole_rollout=True)


def _latencies(requests: int, factor: float = 1.0, subjects: int = 200, seed: int = 1) -> LatencySums:
    took = (np.random.default_rng(seed).lognormal(6.5, 0.5, requests) * factor).tolist()
    return LatencySums.of_chunk({f"subject-{number}": took[number::subjects] for number in range(subjects)})


STABLE = LatencyBaseline(_latencies(10_000))


def _judged(
    candidate: LatencySums, baseline: LatencyBaseline = STABLE, subjects: int = 200, alarm: Alarm = ALARM
) -> MonitorVerdict:
    return judge_latency(candidate, baseline, monitor="latency", subjects=subjects, alarm=alarm)


def test_a_p95_of_twice_stables_is_a_proven_breach() -> None:
    verdict = _judged(_latencies(600, 2.0, seed=2))
    assert (verdict.reading, verdict.evidence) == (Reading.BREACH, Evidence.PROVEN)
    assert verdict.estimate == pytest.approx(2, rel=0.15)


def test_the_verdict_says_both_p95s_and_their_ratio() -> None:
    verdict = _judged(_latencies(600, 2.0, seed=2))
    assert verdict.reasons[0].startswith(
        "p95 is 2,879 ms over 600 candidate requests, on stable 1,493 ms over 10,000: 1.93 times"
    )
    assert verdict.reasons[0].endswith("that of stable, over the limit of 1.20.")
    assert "(this rollout breaches at 480): if the release were within its limit" in verdict.reasons[-1]


def test_the_same_latency_passes_and_is_proven_within_in_time() -> None:
    verdict = _judged(_latencies(5000, seed=3))
    assert (verdict.reading, verdict.evidence) == (Reading.OK, Evidence.PROVEN)


def test_a_p95_over_its_limit_that_can_be_chance_holds() -> None:
    verdict = _judged(_latencies(300, 1.25, seed=6))
    assert (verdict.reading, verdict.evidence) == (Reading.HOLD, Evidence.UNPROVEN)


def test_fewer_than_200_requests_hold_whatever_they_show() -> None:
    verdict = _judged(_latencies(199, 9.0))
    assert (verdict.reading, verdict.evidence) == (Reading.HOLD, Evidence.NONE)
    assert any("200 measured candidate requests are needed" in reason for reason in verdict.reasons)


def test_few_subjects_hold_whatever_they_show() -> None:
    verdict = _judged(_latencies(2000, 3.0), subjects=29)
    assert verdict.reading is Reading.HOLD
    assert any("30 distinct candidate subjects are needed" in reason for reason in verdict.reasons)


def test_an_old_or_small_frozen_baseline_only_holds() -> None:
    slow = _latencies(2000, 3.0)
    assert _judged(slow, LatencyBaseline(_latencies(10_000), age_hours=25)).reading is Reading.HOLD
    assert _judged(slow, LatencyBaseline(_latencies(999), age_hours=1)).reading is Reading.HOLD
    assert _judged(slow, LatencyBaseline(_latencies(10_000), age_hours=24)).reading is Reading.BREACH


@pytest.mark.parametrize("baseline", [LatencyBaseline(LatencySums()), LatencyBaseline(LatencySums(), age_hours=1)])
def test_without_stable_latencies_nothing_is_compared(baseline: LatencyBaseline) -> None:
    verdict = _judged(_latencies(500, 9.0), baseline)
    assert (verdict.reading, verdict.estimate) == (Reading.HOLD, None)
    assert "stable has no latencies to compare with" in verdict.reasons[0]


def test_without_candidate_latencies_it_holds() -> None:
    assert _judged(LatencySums(), subjects=0).reading is Reading.HOLD


def test_a_handful_of_stable_latencies_bounds_nothing() -> None:
    assert _judged(_latencies(2000, 9.0), LatencyBaseline(_latencies(20))).reading is Reading.HOLD


def test_one_slow_subject_does_not_breach() -> None:
    rows = np.random.default_rng(4).lognormal(6.5, 0.5, 900).tolist()
    chunk = {f"subject-{number}": rows[number::50] for number in range(50)} | {"slow": [20_000.0] * 200}
    assert _judged(LatencySums.of_chunk(chunk)).reading is not Reading.BREACH


def test_what_is_no_latency_is_not_measured() -> None:
    sums = LatencySums.of_chunk({"a": [float("nan"), float("inf"), -1.0], "b": [5.0]})
    assert (sums.requests, sums.exposure) == (1, 1)


@given(st.floats(1e-3, 1e9))
def test_a_bin_holds_its_latency_and_is_a_hundredth_wide(milliseconds: float) -> None:
    low, high = edge_of(bin_of(milliseconds)), edge_of(bin_of(milliseconds) + 1)
    assert low * (1 - 1e-12) <= milliseconds <= high * (1 + 1e-12)
    assert high / low == pytest.approx(1.01)


def test_a_quantile_is_within_a_bin_of_the_true_one() -> None:
    took = np.random.default_rng(5).lognormal(6.5, 0.5, 5000)
    sums = LatencySums.of_chunk({str(number): [value] for number, value in enumerate(took.tolist())})
    assert sums.quantile(0.95) == pytest.approx(np.quantile(took, 0.95), rel=0.02)


@unhurried
@given(candidate=LATENCY_CHUNKS, stable=LATENCY_CHUNKS)
def test_little_empty_or_broken_traffic_never_breaches(
    candidate: dict[str, list[float]], stable: dict[str, list[float]]
) -> None:
    baseline = LatencyBaseline(LatencySums.of_chunk(stable))
    verdict = _judged(LatencySums.of_chunk(candidate), baseline, subjects=len(candidate), alarm=MONITOR_ALARM)
    assert verdict.reading is Reading.HOLD


@unhurried
@given(beyond=st.integers(0, 300), n=st.integers(300, 20_000))
def test_evidence_on_one_side_is_none_on_the_other(beyond: int, n: int) -> None:
    assert min(log_above(beyond, n), log_below(beyond, n)) <= 1e-9


@unhurried
@given(n=st.integers(1, 3000), alarm=st.floats(5, 1000))
def test_the_ranks_enclose_the_p95(n: int, alarm: float) -> None:
    low, high = ranks_at_every_look(n, alarm)
    assert low <= 0.95 * n + 1
    assert 0.95 * n <= high <= n + 1
