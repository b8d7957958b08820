"""What the monitors say of real trace rows: the same as the pure monitors, against the arm that there is."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from releases.measuring.checkpoint_sums import CheckpointSums
from releases.measuring.comparing import NOTHING_TO_COMPARE
from releases.measuring.folding import fold
from releases.measuring.readings import measured
from releases.monitors.error_rate import ErrorBaseline, judge_errors, judge_errors_frozen
from releases.monitors.evidence import rollout_alarm
from releases.monitors.latency import LatencyBaseline, judge_latency
from releases.monitors.verdict import Reading
from releases.rollout_models import Measurement, ReplayPair, Rollout
from releases.rollouts.deciding import decide
from releases.rollouts.decisions import Act
from releases.rollouts.evidence import Facts, MonitorVerdicts
from tests.releases.measuring.conftest import Horizon
from tests.releases.measuring.rows import ENTERED, GENERATION, Row, move, value_of, write

ALARM = rollout_alarm(monitors=4, slices=1, checkpoints=3)
SHARES = {1: 0.05, 2: 0.25, 3: 1.0}


def _traffic(
    rollout: Rollout,
    horizon: Horizon,
    requests: int,
    *,
    errors: float = 0.01,
    stable_errors: float = 0.01,
    slower: float = 1.0,
    users: int = 4_000,
    seed: int = 5,
    ttft: bool = True,
) -> MonitorVerdicts:
    """Let users send requests at the checkpoint in chunks of ten seconds, fold each, and read at the end."""
    rng, share, at = np.random.default_rng(seed), SHARES[rollout.checkpoint], rollout.entered_at
    on_candidate = rng.random(users) < share
    for _ in range(0, requests, 500):
        who = rng.integers(users, size=500)
        failed, took = rng.random(500), rng.lognormal(6.5, 0.5, 500)
        rows = [
            Row(
                arm="candidate" if on_candidate[user] else "stable",
                subject=f"user-{user}",
                error="upstream_5xx" if draw < (errors if on_candidate[user] else stable_errors) else None,
                latency_ms=time * (slower if on_candidate[user] else 1.0),
                ttft_ms=time / 5 if ttft else None,
                generation=rollout.entered_generation,
                started_at=at,
            )
            for user, draw, time in zip(who.tolist(), failed.tolist(), took.tolist(), strict=True)
        ]
        write(rollout, rows, xact=horizon.next())
        at += timedelta(seconds=10)
        fold(rollout, at)
    return measured(rollout, value_of(rollout), at)


def _sums(rollout: Rollout) -> tuple[Measurement, CheckpointSums]:
    measurement = Measurement.objects.get(rollout=rollout, checkpoint=rollout.checkpoint)
    return measurement, CheckpointSums.from_json(measurement.sums)


def _pairs(rollout: Rollout, slug: str, differences: list[float]) -> None:
    for number, difference in enumerate(differences):
        ReplayPair.objects.create(
            organization=rollout.organization,
            rollout=rollout,
            checkpoint=rollout.checkpoint,
            slice=slug,
            request_id=f"{slug}-{number}",
            trace_id=f"{slug[:8].encode().hex()}{number:016x}",
            trace_started_at=ENTERED,
            subject=bytes(16),
            served="candidate",
            state="scored",
            candidate_score=0.5 + difference,
            stable_score=0.5,
            created_at=ENTERED,
            scored_at=ENTERED,
        )


def test_before_the_first_fold_nothing_is_proven(rollout: Rollout) -> None:
    found = measured(rollout, value_of(rollout), ENTERED)
    assert (found.requests, found.since, found.requests_per_second) == (0, ENTERED, None)
    assert {monitor.reading for _, monitor in found.monitors} == {Reading.HOLD}


def test_the_readings_are_those_of_the_monitors_on_the_same_sums(rollout: Rollout, horizon: Horizon) -> None:
    found = _traffic(rollout, horizon, 5_000)
    measurement, sums = _sums(rollout)
    subjects = measurement.candidate_subjects
    assert found.errors.verdicts == (judge_errors(sums.errors, subjects=subjects, alarm=ALARM),)
    for verdict, latencies, name in zip(
        found.latency.verdicts, (sums.ttft, sums.total), ("latency_ttft", "latency_total"), strict=True
    ):
        baseline = LatencyBaseline(latencies.stable)
        assert verdict == judge_latency(latencies.candidate, baseline, monitor=name, subjects=subjects, alarm=ALARM)


def test_a_healthy_candidate_is_within_its_limits(rollout: Rollout, horizon: Horizon) -> None:
    move(rollout, 2, ENTERED, GENERATION)
    _pairs(rollout, "ip-licensing", [0.02, -0.02] * 10)
    found = _traffic(rollout, horizon, 6_000)
    assert found.requests > 1_200
    assert [monitor.reading for _, monitor in found.monitors] == [Reading.OK] * 3
    assert found.sample_ratio is None


def test_many_more_errors_are_breached_and_halt_the_rollout(rollout: Rollout, horizon: Horizon) -> None:
    move(rollout, 2, ENTERED, GENERATION)
    found = _traffic(rollout, horizon, 5_000, errors=0.06)
    assert found.errors.reading is Reading.BREACH
    value = value_of(rollout)
    assert decide(value, ENTERED + timedelta(minutes=3), found, Facts(value.previous)).act is Act.HALTED


def test_a_dry_monitor_is_read_and_halts_nothing(rollout: Rollout, horizon: Horizon) -> None:
    move(rollout, 2, ENTERED, GENERATION)
    rollout.settings["dry"] = ["errors"]
    found = _traffic(rollout, horizon, 5_000, errors=0.06)
    assert (found.errors.reading, found.errors.dry, list(found.breaches())) == (Reading.BREACH, True, [])


def test_a_slower_candidate_is_breached_by_its_p95(rollout: Rollout, horizon: Horizon) -> None:
    move(rollout, 2, ENTERED, GENERATION)
    found = _traffic(rollout, horizon, 8_000, slower=3.0)
    assert [one.reading for one in found.latency.verdicts] == [Reading.OK, Reading.BREACH]


def test_the_limits_are_those_of_the_start(rollout: Rollout, horizon: Horizon) -> None:
    rollout.settings["limits"] = {"errors": 3.0, "latency": 2.5}
    found = _traffic(rollout, horizon, 1_000)
    assert [one.limit for one in (*found.errors.verdicts, *found.latency.verdicts)] == [3.0, 2.5, 2.5]


def test_the_alarm_covers_monitors_slices_and_checkpoints_unless_each_monitor_stands_alone(
    rollout: Rollout, horizon: Horizon
) -> None:
    rollout.settings["slices"] = ["ip-licensing", "contract-drafting"]
    assert measured(rollout, value_of(rollout), ENTERED).errors.verdicts[0].alarm == 20 * 4 * 2 * 3
    rollout.settings["alarm"] = "monitor"
    assert measured(rollout, value_of(rollout), ENTERED).errors.verdicts[0].alarm == 20


def test_where_nobody_streams_only_the_total_latency_is_judged(rollout: Rollout, horizon: Horizon) -> None:
    found = _traffic(rollout, horizon, 1_000, ttft=False)
    assert [one.monitor for one in found.latency.verdicts] == ["latency_total"]


def test_subjects_that_are_split_wrongly_are_alarmed(rollout: Rollout, horizon: Horizon) -> None:
    rows = [Row(subject=f"c{number}") for number in range(200)]
    write(rollout, [*rows, *(Row(arm="stable", subject=f"s{number}") for number in range(200))], xact=horizon.next())
    fold(rollout, ENTERED + timedelta(seconds=1))
    said = measured(rollout, value_of(rollout), ENTERED).sample_ratio
    assert said is not None
    assert "The assignment of subjects is broken" in said


def test_one_user_who_sends_most_requests_alarms_no_sample_ratio(rollout: Rollout, horizon: Horizon) -> None:
    rows = [Row(subject="anna") for _ in range(500)]
    write(rollout, [*rows, *(Row(arm="stable", subject=f"s{number}") for number in range(20))], xact=horizon.next())
    fold(rollout, ENTERED + timedelta(seconds=1))
    assert measured(rollout, value_of(rollout), ENTERED).sample_ratio is None


def test_a_drop_of_quality_is_breached_and_a_small_one_tolerated(rollout: Rollout) -> None:
    _pairs(rollout, "ip-licensing", [-0.5] * 20)
    _pairs(rollout, "contract-drafting", [-0.02, 0.0] * 10)
    verdicts = {one.monitor: one.reading for one in measured(rollout, value_of(rollout), ENTERED).quality.verdicts}
    assert verdicts == {"quality/ip-licensing": Reading.BREACH, "quality/contract-drafting": Reading.OK}


def test_an_accepted_level_widens_the_tolerance_of_its_slice(rollout: Rollout) -> None:
    rollout.settings["tolerances"] = {"ip-licensing": 0.55}
    _pairs(rollout, "ip-licensing", [-0.5] * 20)
    found = measured(rollout, value_of(rollout), ENTERED).quality
    assert (found.reading, found.verdicts[0].limit) == (Reading.OK, -0.55)


def test_quality_that_lacks_pairs_says_when_they_will_be_there(rollout: Rollout, horizon: Horizon) -> None:
    _pairs(rollout, "ip-licensing", [0.0] * 5)
    fold(rollout, ENTERED)
    at = ENTERED + timedelta(seconds=50)
    assert measured(rollout, value_of(rollout), at).quality.eta == at + timedelta(seconds=50)


def test_without_any_watched_slice_quality_holds_and_says_why(rollout: Rollout) -> None:
    rollout.settings["slices"] = []
    found = measured(rollout, value_of(rollout), ENTERED).quality
    assert found.reading is Reading.HOLD
    assert "No slice of this application is watched" in found.headlines[0]


def test_at_all_traffic_the_baseline_is_what_stable_did_at_the_checkpoints_before(
    rollout: Rollout, horizon: Horizon
) -> None:
    _traffic(rollout, horizon, 2_000)
    first = _sums(rollout)[1]
    move(rollout, 2, ENTERED + timedelta(minutes=10), GENERATION + 1)
    _traffic(rollout, horizon, 2_000, seed=6)
    second = _sums(rollout)[1]
    move(rollout, 3, ENTERED + timedelta(minutes=20), GENERATION + 2)
    found = _traffic(rollout, horizon, 1_500, seed=7)
    measurement, sums = _sums(rollout)
    age = timedelta(seconds=30) / timedelta(hours=1)
    arm = first.errors.stable + second.errors.stable
    assert measurement.stable_requests == 0
    expected = judge_errors_frozen(
        sums.errors.candidate, ErrorBaseline(arm, age), subjects=measurement.candidate_subjects, alarm=ALARM
    )
    assert found.errors.verdicts == (expected,)
    assert {one.reading for _, monitor in found.monitors[:2] for one in monitor.verdicts} == {Reading.OK}
    assert found.sample_ratio is None


def test_a_frozen_baseline_older_than_a_day_only_holds(rollout: Rollout, horizon: Horizon) -> None:
    _traffic(rollout, horizon, 2_000)
    move(rollout, 3, ENTERED + timedelta(minutes=10), GENERATION + 1)
    _traffic(rollout, horizon, 1_000, errors=0.06)
    later = measured(rollout, value_of(rollout), rollout.entered_at + timedelta(hours=25))
    assert (later.errors.reading, later.latency.reading) == (Reading.HOLD, Reading.HOLD)
    assert "after 24 hours it only holds" in " ".join(later.errors.verdicts[0].reasons)


@pytest.fixture
def cold(rollout: Rollout) -> Rollout:
    """A rollout in shadow on a route that has served nothing."""
    rollout.previous, rollout.shadow, rollout.state = None, {"percent": 0}, "shadowing"
    return move(rollout, 0, ENTERED, GENERATION)


def _copies(cold: Rollout, horizon: Horizon, requests: int, failed: int) -> MonitorVerdicts:
    errors = ["upstream_5xx"] * failed + [None] * (requests - failed)
    rows = [Row(arm="shadow", subject=f"s{number % 50}", error=error) for number, error in enumerate(errors)]
    write(cold, rows, xact=horizon.next())
    fold(cold, ENTERED + timedelta(hours=24))
    return measured(cold, value_of(cold), ENTERED + timedelta(hours=24))


def test_a_cold_start_completes_as_there_is_nothing_to_compare_with(cold: Rollout, horizon: Horizon) -> None:
    found = _copies(cold, horizon, 1_000, 50)
    assert found.all_ok
    assert all(NOTHING_TO_COMPARE in " ".join(one.reasons) for _, each in found.monitors for one in each.verdicts)
    value = replace(value_of(cold), due=timedelta(hours=24))
    assert decide(value, ENTERED + timedelta(hours=24), found, Facts(None)).act is Act.COMPLETED


def test_a_cold_start_waits_until_an_outage_would_have_been_seen(cold: Rollout, horizon: Horizon) -> None:
    assert _copies(cold, horizon, 99, 0).errors.reading is Reading.HOLD


def test_an_outage_halts_a_cold_start(cold: Rollout, horizon: Horizon) -> None:
    found = _copies(cold, horizon, 200, 60)
    assert found.errors.reading is Reading.BREACH


def test_the_candidates_rate_is_that_of_the_last_minute(rollout: Rollout, horizon: Horizon) -> None:
    for second, requests in ((10, 300), (70, 300), (130, 600)):
        write(rollout, [Row(subject=f"s{n}") for n in range(requests)], xact=horizon.next())
        fold(rollout, ENTERED + timedelta(seconds=second))
    assert measured(rollout, value_of(rollout), ENTERED).requests_per_second == 10.0


def test_a_monitor_that_lacks_requests_says_when_they_will_be_there(rollout: Rollout, horizon: Horizon) -> None:
    for second in (10, 20):
        write(rollout, [Row(), *(Row(arm="stable") for _ in range(250))] * 1, xact=horizon.next())
        fold(rollout, ENTERED + timedelta(seconds=second))
    at = ENTERED + timedelta(seconds=20)
    assert measured(rollout, value_of(rollout), at).errors.eta == at + timedelta(seconds=980)
