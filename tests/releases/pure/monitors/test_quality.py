"""Quality by slice, over pairs of answers to the same prompts."""

import numpy as np
import pytest
from hypothesis import given

from gates.statistics.policies import Evidence
from releases.monitors.evidence import MONITOR_ALARM, Alarm
from releases.monitors.quality import judge_quality
from releases.monitors.quality_sums import QualitySums, tolerance_of
from releases.monitors.verdict import MonitorVerdict, Reading
from tests.releases.pure.monitors.samples import DIFFERENCES, unhurried

ALARM = Alarm(480.0, whole_rollout=True)


def _pairs(mean: float, n: int = 50, spread: float = 0.2, seed: int = 1) -> QualitySums:
    drawn = np.random.default_rng(seed).normal(size=n)
    standard = (drawn - drawn.mean()) / drawn.std(ddof=1)
    return QualitySums.of((mean + spread * standard).tolist())


def _judged(sums: QualitySums, *, others: int = 0) -> MonitorVerdict:
    slices = {"legal": sums} | {f"other-{number}": _pairs(0.0) for number in range(others)}
    return judge_quality(slices, alarm=ALARM)["legal"]


def test_a_large_drop_breaches_early() -> None:
    verdict = _judged(_pairs(-0.6, n=20))
    assert (verdict.reading, verdict.evidence, verdict.p) == (Reading.BREACH, Evidence.PROVEN, None)
    assert verdict.e_above >= 480


def test_nine_pairs_hold_however_bad_they_are() -> None:
    verdict = _judged(QualitySums.of([-1.0] * 9))
    assert (verdict.reading, verdict.evidence) == (Reading.HOLD, Evidence.NONE)
    assert "9 pairs since this checkpoint began: 10 pairs are needed." in verdict.reasons


def test_the_last_test_proves_a_drop_that_the_evidence_alone_does_not() -> None:
    verdict = _judged(_pairs(-0.12))
    assert verdict.e_above < 480
    assert (verdict.reading, verdict.evidence) == (Reading.BREACH, Evidence.PROVEN)
    assert verdict.p == pytest.approx(0.0085, abs=0.001)


def test_the_last_test_is_corrected_for_the_other_slices() -> None:
    assert _judged(_pairs(-0.11)).reading is Reading.BREACH
    assert _judged(_pairs(-0.11), others=9).reading is Reading.HOLD


def test_a_slice_that_waits_for_pairs_counts_in_the_correction() -> None:
    waiting = {f"other-{number}": QualitySums.of([0.0]) for number in range(9)}
    verdict = judge_quality({"legal": _pairs(-0.11), **waiting}, alarm=ALARM)["legal"]
    assert verdict.reading is Reading.HOLD


def test_before_the_cap_there_is_no_last_test() -> None:
    assert _judged(_pairs(-0.12, n=49)).reading is Reading.HOLD


def test_a_drop_of_the_tolerance_passes() -> None:
    assert _judged(QualitySums.of([-0.05] * 50)).reading is Reading.OK


def test_a_better_release_is_proven_within() -> None:
    verdict = _judged(_pairs(0.2))
    assert (verdict.reading, verdict.evidence) == (Reading.OK, Evidence.PROVEN)


def test_the_verdict_says_the_mean_change_and_what_is_tolerated() -> None:
    verdict = _judged(_pairs(-0.6, n=20))
    assert verdict.reasons[0] == (
        "legal: over 20 pairs of answers quality changed by −0.60 on average, beyond the tolerated −0.05."
    )
    assert "if the release were within its limit" in verdict.reasons[-1]


def test_an_accepted_regression_is_not_halted_again() -> None:
    tolerance = tolerance_of(accepted=0.6, stable=0.8)
    assert tolerance == pytest.approx(0.25)
    drop = [-0.2] * 50
    assert _judged(QualitySums.of(drop)).reading is Reading.BREACH
    assert _judged(QualitySums.of(drop, tolerance=tolerance)).reading is Reading.OK


@pytest.mark.parametrize(("accepted", "stable"), [(None, 0.8), (0.6, None), (0.9, 0.8)])
def test_the_plain_tolerance_holds_where_nothing_worse_was_accepted(
    accepted: float | None, stable: float | None
) -> None:
    assert tolerance_of(accepted=accepted, stable=stable) == 0.05


def test_differences_are_clipped_and_missing_ones_counted() -> None:
    sums = QualitySums.of([-7.0, None, float("nan")])
    assert (sums.n, sums.missing, sums.mean().mean) == (1, 2, -1.0)


def test_missing_pairs_are_said() -> None:
    assert "2 more pairs could not be replayed or scored." in _judged(QualitySums.of([None, None])).reasons


def test_pairs_that_are_all_the_same_have_a_last_test_too() -> None:
    assert _judged(QualitySums.of([-0.1] * 50)).reading is Reading.BREACH


def test_a_tolerance_that_tolerates_everything_is_refused() -> None:
    with pytest.raises(ValueError, match="choose one inside"):
        QualitySums(1.0)


@unhurried
@given(differences=DIFFERENCES)
def test_what_does_not_drop_never_breaches(differences: list[float | None]) -> None:
    risen = [None if value is None else abs(value) for value in differences]
    verdict = judge_quality({"any": QualitySums.of(risen)}, alarm=MONITOR_ALARM)["any"]
    assert verdict.reading is not Reading.BREACH
    assert verdict.e_above <= 1 + 1e-9
