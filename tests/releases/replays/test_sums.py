"""Pairs become sums in the order of choosing, up to the cap; unusable ones are missing, an unseen slice is empty."""

import pytest

from relcontrol.clock import now
from releases.monitors.quality import CAP
from releases.monitors.quality_sums import QualitySums
from releases.replays.sums import quality_sums
from releases.rollout_models import ReplayPair
from tests.releases.replays.stage import SLICE, Stage


def pair(here: Stage, candidate: float | None, stable: float | None = 1.0, **changes: object) -> ReplayPair:
    number = ReplayPair.objects.count()
    columns = {
        "organization": here.scene.organization,
        "rollout": here.row,
        "checkpoint": 1,
        "slice": SLICE,
        "request_id": f"req-{number}",
        "trace_id": f"{number:032x}",
        "trace_started_at": now(),
        "subject": b"0" * 16,
        "served": "candidate",
        "state": "scored",
        "candidate_score": candidate,
        "stable_score": stable,
        "created_at": now(),
    }
    return ReplayPair.objects.create(**columns | changes)


def test_a_watched_slice_without_pairs_has_empty_sums(here: Stage) -> None:
    assert quality_sums(here.row, 1, {}) == {SLICE: QualitySums()}


def test_differences_are_candidate_less_stable(here: Stage) -> None:
    pair(here, 0.5)
    pair(here, 1.0, 0.0)
    assert quality_sums(here.row, 1, {})[SLICE] == QualitySums.of([-0.5, 1.0])


def test_unusable_pairs_are_missing_and_waiting_ones_nothing_yet(here: Stage) -> None:
    pair(here, 0.5)
    pair(here, None, None, state="unusable")
    pair(here, None, None, state="queued")
    pair(here, None, None, state="answered")
    assert quality_sums(here.row, 1, {})[SLICE] == QualitySums.of([-0.5, None])


def test_other_checkpoints_do_not_count(here: Stage) -> None:
    pair(here, 0.5, checkpoint=2)
    assert quality_sums(here.row, 1, {})[SLICE].n == 0


def test_no_pair_beyond_the_cap_counts(here: Stage) -> None:
    for _ in range(CAP):
        pair(here, 1.0)
    pair(here, 0.0)
    sums = quality_sums(here.row, 1, {})[SLICE]
    assert (sums.n, sums.differences) == (CAP, 0)


def test_a_slice_that_is_no_longer_watched_counts_by_its_pairs(here: Stage) -> None:
    pair(here, 0.5, slice="contract-drafting")
    assert sorted(quality_sums(here.row, 1, {})) == ["contract-drafting", SLICE]


def test_a_slice_has_its_own_tolerance_and_the_others_the_general_one(here: Stage) -> None:
    here.row.settings["tolerance"] = 0.1
    pair(here, 0.5, slice="contract-drafting")
    sums = quality_sums(here.row, 1, {SLICE: 0.2})
    assert {slug: each.tolerance for slug, each in sums.items()} == {SLICE: 0.2, "contract-drafting": 0.1}


@pytest.mark.parametrize("half", [(None, 1.0), (1.0, None)])
def test_a_score_that_is_missing_makes_the_pair_missing(here: Stage, half: tuple[float | None, float | None]) -> None:
    pair(here, *half)
    sums = quality_sums(here.row, 1, {})[SLICE]
    assert (sums.n, sums.missing) == (0, 1)
