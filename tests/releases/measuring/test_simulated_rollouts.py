"""Seeded whole rollouts, looked at after every chunk: healthy ones are breached in at most one of twenty.

Errors, both latencies and quality together (statistics.md R12, R14, R15), over three checkpoints, the last one against
the frozen baseline (R13).
"""

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from releases.measuring.baselines import FrozenBaseline
from releases.measuring.checkpoint_sums import CheckpointSums, SubjectCounts
from releases.measuring.comparing import Look
from releases.monitors import error_rate, latency
from releases.monitors.evidence import rollout_alarm
from releases.monitors.quality import judge_quality
from releases.monitors.quality_sums import QualitySums
from releases.monitors.verdict import MonitorVerdict, Reading
from tests.releases.pure.monitors.traffic import Canary, Chunk, Users, chunks, equal_users, heavy_tailed_users

ALARM = rollout_alarm(monitors=4, slices=1, checkpoints=3)
STEPS = ((0.05, 2_000, 4), (0.25, 1_500, 5), (1.0, 600, 3))  # share, requests of a chunk, chunks
PAIRS = 50


def _heavy(rng: np.random.Generator) -> Users:
    return heavy_tailed_users(rng, 300, 0.01)


def _equal(rng: np.random.Generator) -> Users:
    return equal_users(60_000, 0.01)


def _sums_of(chunk: Chunk) -> CheckpointSums:
    arms = [
        {
            who: SubjectCounts(one.requests, one.errors, took[who], [each / 5 for each in took[who]])
            for who, one in counts.items()
        }
        for counts, took in zip(chunk.counts, chunk.latencies, strict=True)
    ]
    return CheckpointSums.of_chunk(arms[0], arms[1])


def _looks(seed: int, users: Callable[[np.random.Generator], Users], worse: Canary, drop: float) -> Iterator[Reading]:
    """The worst reading of every look of a rollout."""
    rng = np.random.default_rng(seed)
    people, stable = users(rng), CheckpointSums()
    for share, size, number in STEPS:
        sums, subjects = CheckpointSums(), set[str]()
        differences = (rng.normal(-drop, 0.2, PAIRS)).tolist()
        frozen = FrozenBaseline(stable.errors.stable, stable.total.stable, stable.ttft.stable, 0.1)
        for looked, chunk in enumerate(chunks(rng, people, share=share, size=size, number=number, canary=worse), 1):
            sums += _sums_of(chunk)
            subjects.update(chunk.counts[0])
            look = Look(
                sums, len(subjects), ALARM, error_rate.LIMIT, latency.LIMIT, frozen=frozen if share == 1.0 else None
            )
            pairs = QualitySums.of(differences[: PAIRS * looked // number])
            verdicts: list[MonitorVerdict] = [look.errors(), *look.latency()]
            yield from (one.reading for one in (*verdicts, *judge_quality({"any": pairs}, alarm=ALARM).values()))
        stable += sums


def _breached(seed: int, users: Callable[[np.random.Generator], Users], worse: Canary, drop: float = 0.0) -> bool:
    return any(reading is Reading.BREACH for reading in _looks(seed, users, worse, drop))


@pytest.mark.parametrize("users", [_heavy, _equal], ids=["300 heavy-tailed", "60,000 equal"])
def test_healthy_rollouts_are_hardly_ever_breached(users: Callable[[np.random.Generator], Users]) -> None:
    assert sum(_breached(seed, users, Canary()) for seed in range(5)) <= 1


@pytest.mark.parametrize(
    ("worse", "drop"), [(Canary(errors=4), 0.0), (Canary(latency=2.5), 0.0), (Canary(), 0.3)], ids=str
)
def test_rollouts_that_are_worse_in_one_thing_are_nearly_always_breached(worse: Canary, drop: float) -> None:
    assert sum(_breached(seed, _equal, worse, drop) for seed in range(4)) >= 3
