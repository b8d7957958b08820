"""Whole rollouts of the default plan, looked at every ten seconds: what happened when, to the second."""

from dataclasses import replace
from datetime import timedelta

from releases.rollouts.deciding import decide
from releases.rollouts.decisions import Act
from releases.rollouts.evidence import Monitor
from releases.rollouts.states import Rollout
from tests.releases.pure.rollouts.scene import BREACH, HOLD, OK, SOUND, T0, after, begun, seen

LOOKS = timedelta(seconds=10)
Step = tuple[int, Act, int]


def _walk(*, requests_per_second: float, quality: Monitor = OK, from_checkpoint: int = 1) -> list[Step]:
    """Every change as (seconds since the start, what, percent afterwards); traffic is of both arms together."""
    rollout, steps = begun(), []
    for look in range(10_000):
        if rollout.over:
            break
        now = T0 + look * LOOKS
        rate = requests_per_second * rollout.step.percent / 100
        read = quality if rollout.checkpoint >= from_checkpoint else OK
        measured = seen(rollout, requests=_since_entry(rollout, look, rate), quality=read)
        decision = decide(rollout, now, measured, SOUND)
        rollout = after(decision)
        if decision.changes:
            steps.append((look * 10, decision.act, rollout.basis_points // 100))
    return steps


def _since_entry(rollout: Rollout, look: int, rate: float) -> int:
    return int((T0 + look * LOOKS - rollout.entered_at).total_seconds() * rate)


def test_a_healthy_release_is_through_after_its_dwells() -> None:
    assert _walk(requests_per_second=100) == [
        (240, Act.PROMOTED, 25),
        (1_140, Act.PROMOTED, 100),
        (1_380, Act.COMPLETED, 100),
    ]


def test_with_less_traffic_the_requests_decide() -> None:
    assert _walk(requests_per_second=40) == [
        (240, Act.EXTENDED, 5),
        (480, Act.EXTENDED, 5),
        (500, Act.PROMOTED, 25),
        (1_400, Act.EXTENDED, 25),
        (1_500, Act.PROMOTED, 100),
        (1_740, Act.COMPLETED, 100),
    ]


def test_a_breach_at_the_second_checkpoint_ends_it_there() -> None:
    assert _walk(requests_per_second=100, quality=BREACH, from_checkpoint=2) == [
        (240, Act.PROMOTED, 25),
        (250, Act.HALTED, 0),
    ]


def test_a_release_that_proves_nothing_is_halted_a_day_after_its_review_began() -> None:
    extensions = [(240 * turn, Act.EXTENDED, 5) for turn in (1, 2, 3)]
    ends = [(960, Act.WAITING_REVIEW, 5), (960 + 86_400, Act.HALTED, 0)]
    assert _walk(requests_per_second=100, quality=HOLD) == [*extensions, *ends]


def test_a_monitor_that_runs_dry_changes_nothing_of_a_walk() -> None:
    healthy = _walk(requests_per_second=100)
    assert _walk(requests_per_second=100, quality=replace(BREACH, dry=True)) == healthy
