"""Seeded canaries: healthy ones are hardly ever breached, however often one looks; bad ones are, in time."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from releases.monitors.error_rate import ErrorBaseline, judge_errors, judge_errors_frozen
from releases.monitors.error_sums import ErrorSums
from releases.monitors.evidence import MONITOR_ALARM, Alarm, rollout_alarm
from releases.monitors.latencies import LatencySums
from releases.monitors.latency import LatencyBaseline, judge_latency
from releases.monitors.quality import judge_quality
from releases.monitors.quality_sums import QualitySums
from releases.monitors.verdict import Reading
from tests.releases.pure.monitors.traffic import Canary, Users, chunks, equal_users, heavy_tailed_users

ROLLOUT = rollout_alarm(monitors=3, slices=1, checkpoints=3)


def _heavy(rng: np.random.Generator) -> Users:
    return heavy_tailed_users(rng, 300, 0.01)


def _equal(rng: np.random.Generator) -> Users:
    return equal_users(60_000, 0.01)


def _breached_after(
    seed: int,
    users: Callable[[np.random.Generator], Users],
    *,
    share: float,
    size: int,
    number: int,
    alarm: Alarm = ROLLOUT,
    canary: Canary | None = None,
    latency: bool = True,
) -> int | None:
    """Return the candidate requests after which a look at the end of a chunk breaches; None for never."""
    rng = np.random.default_rng(seed)
    errors, own, others, seen = ErrorSums(), LatencySums(), LatencySums(), set[str]()
    for chunk in chunks(rng, users(rng), share=share, size=size, number=number, canary=canary):
        errors += chunk.errors()
        seen.update(chunk.counts[0])
        verdicts = [judge_errors(errors, subjects=len(seen), alarm=alarm)]
        if latency:
            durations = chunk.durations()
            own, others = own + durations[0], others + durations[1]
            baseline = LatencyBaseline(others)
            verdicts.append(judge_latency(own, baseline, monitor="latency", subjects=len(seen), alarm=alarm))
        if any(verdict.reading is Reading.BREACH for verdict in verdicts):
            return errors.candidate.requests
    return None


def _breaches(seeds: range, users: Callable[[np.random.Generator], Users], **shape: Any) -> int:
    return sum(_breached_after(seed, users, **shape) is not None for seed in seeds)


@pytest.mark.parametrize("first", [0, 30])
def test_healthy_canaries_with_300_heavy_tailed_users_are_breached_at_most_once_in_twenty(first: int) -> None:
    seeds = range(first, first + 30)
    assert _breaches(seeds, _heavy, share=0.25, size=1500, number=6, alarm=MONITOR_ALARM) <= 1


def test_healthy_canaries_with_60000_equal_users_are_breached_at_most_once_in_twenty() -> None:
    assert _breaches(range(20), _equal, share=0.05, size=2000, number=4, alarm=MONITOR_ALARM) <= 1


def test_three_times_the_errors_are_caught_within_a_median_of_1500_candidate_requests() -> None:
    found = [
        _breached_after(seed, _equal, share=0.05, size=2000, number=20, canary=Canary(errors=3), latency=False)
        for seed in range(11)
    ]
    assert np.median([after or 10**9 for after in found]) <= 1500


def test_a_p95_of_twice_stables_is_caught_with_300_heavy_tailed_users() -> None:
    assert _breaches(range(10), _heavy, share=0.25, size=2000, number=6, canary=Canary(latency=2.0)) >= 8


def test_healthy_canaries_at_all_traffic_are_breached_at_most_once_in_twenty() -> None:
    breached = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        users, errors, candidate = heavy_tailed_users(rng, 300, 0.01), ErrorSums(), ErrorSums()
        for chunk in chunks(rng, users, share=0.25, size=2000, number=4):
            errors += chunk.errors()
        baseline = ErrorBaseline(errors.stable, age_hours=1)
        for chunk in chunks(rng, users, share=1.0, size=1000, number=6):
            candidate += chunk.errors()
            verdict = judge_errors_frozen(candidate.candidate, baseline, subjects=100, alarm=MONITOR_ALARM)
            breached += verdict.reading is Reading.BREACH
    assert breached <= 2


def _quality_breaches(runs: int, mean: float, alarm: Alarm) -> int:
    rng, breached = np.random.default_rng(11), 0
    for _ in range(runs):
        differences = rng.normal(mean, 0.2, 50).tolist()
        looks = [QualitySums.of(differences[:n]) for n in range(10, 51, 10)]
        breached += any(judge_quality({"any": sums}, alarm=alarm)["any"].reading is Reading.BREACH for sums in looks)
    return breached


def test_unchanged_quality_is_breached_at_most_once_in_twenty() -> None:
    assert _quality_breaches(200, 0.0, MONITOR_ALARM) <= 10


def test_quality_at_its_tolerance_is_breached_at_most_as_often_as_both_tests_allow() -> None:
    assert _quality_breaches(200, -0.05, ROLLOUT) <= 20


def test_fifty_pairs_see_a_drop_of_a_tenth_more_often_than_not() -> None:
    assert 100 <= _quality_breaches(200, -0.10, ROLLOUT) <= 140
