"""Errors against the concurrent stable arm: what breaches, what holds, and what is said about it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.statistics.policies import Evidence
from releases.monitors.arms import Counts
from releases.monitors.error_rate import ErrorBaseline, judge_errors, judge_errors_frozen
from releases.monitors.error_sums import ErrorSums
from releases.monitors.evidence import MONITOR_ALARM, Alarm, rollout_alarm
from releases.monitors.rate_ratio import Pair, RatioLikelihood
from releases.monitors.verdict import MonitorVerdict, Reading
from tests.releases.pure.monitors.samples import ARM_CHUNKS, both_arms, spread_over, unhurried

ALARM = Alarm(480.0, whole_rollout=True)


def _judged(sums: ErrorSums, subjects: int = 40) -> MonitorVerdict:
    return judge_errors(sums, subjects=subjects, alarm=ALARM)


def test_a_rate_far_above_stable_is_a_proven_breach() -> None:
    verdict = _judged(both_arms((6, 100), (19, 1900), chunks=8))
    assert (verdict.reading, verdict.evidence) == (Reading.BREACH, Evidence.PROVEN)
    assert verdict.estimate == pytest.approx(6)
    assert verdict.low is not None
    assert 1.5 < verdict.low < 6


def test_a_breach_is_said_in_plain_words_with_its_numbers() -> None:
    position, evidence = _judged(both_arms((6, 100), (19, 1900), chunks=8)).reasons
    assert position == (
        "48 of 800 candidate requests failed (6.00 %), on stable 152 of 15,200 (1.00 %): 6.00 times the rate of "
        "stable, over the limit of 1.50."
    )
    assert evidence.startswith("Evidence ")
    assert evidence.endswith(
        "(this rollout breaches at 480): if the release were within its limit, evidence this strong would appear in at "
        "most 1 release in 20, however often we look."
    )


def test_a_rate_over_the_limit_that_can_be_chance_holds() -> None:
    verdict = _judged(both_arms((2, 100), (19, 1900)))
    assert (verdict.reading, verdict.evidence) == (Reading.HOLD, Evidence.UNPROVEN)
    assert verdict.reasons[-1].endswith("over the limit, but this can still be chance.")


def test_a_rate_at_its_limit_passes() -> None:
    verdict = _judged(both_arms((3, 200), (38, 3800)))
    assert verdict.estimate == pytest.approx(1.5)
    assert verdict.reading is Reading.OK


def test_enough_good_traffic_proves_that_it_stays_within() -> None:
    verdict = _judged(both_arms((10, 1000), (30, 3000), chunks=20))
    assert (verdict.reading, verdict.evidence) == (Reading.OK, Evidence.PROVEN)
    assert "proven to be so" in verdict.reasons[-1]


def test_no_errors_at_all_pass_and_prove_nothing() -> None:
    verdict = _judged(both_arms((0, 500), (0, 9500)))
    assert (verdict.reading, verdict.evidence, verdict.e_above) == (Reading.OK, Evidence.UNPROVEN, 1.0)


def test_errors_where_stable_has_none_hold_until_they_are_proven() -> None:
    assert _judged(both_arms((1, 500), (0, 9500))).reading is Reading.HOLD
    assert _judged(both_arms((4, 500), (0, 9500), chunks=4)).reading is Reading.BREACH


def test_too_few_requests_hold_and_say_how_many_are_needed() -> None:
    verdict = _judged(both_arms((0, 40), (10, 760)))
    assert (verdict.reading, verdict.evidence) == (Reading.HOLD, Evidence.NONE)
    assert "40 candidate requests since this checkpoint began: 100 candidate requests are needed." in verdict.reasons


def test_nothing_at_all_holds() -> None:
    verdict = _judged(ErrorSums(), subjects=0)
    assert (verdict.reading, verdict.estimate) == (Reading.HOLD, None)
    assert verdict.reasons[0] == "The candidate has answered no request since this checkpoint began."


def test_without_stable_traffic_nothing_is_compared() -> None:
    verdict = _judged(ErrorSums.of_chunk(spread_over(40, 400, 20), {}))
    assert verdict.reading is Reading.HOLD
    assert "stable has no requests to compare with" in verdict.reasons[0]


def test_few_subjects_do_not_breach_however_strong_the_evidence() -> None:
    verdict = _judged(both_arms((6, 100), (19, 1900), chunks=8), subjects=29)
    assert verdict.reading is Reading.HOLD
    assert (
        "29 distinct candidate subjects since this checkpoint began: 30 distinct candidate subjects are needed."
        in verdict.reasons
    )


def test_an_outage_breaches_with_a_single_subject() -> None:
    sums = ErrorSums.of_chunk({"tenant": Counts(100, 30)}, spread_over(400, 1900, 19))
    verdict = _judged(sums, subjects=1)
    assert (verdict.reading, verdict.evidence) == (Reading.BREACH, Evidence.PROVEN)
    assert "This is an outage" in verdict.reasons[1]


def test_an_outage_of_both_arms_is_not_the_candidates() -> None:
    sums = ErrorSums.of_chunk({"tenant": Counts(100, 40)}, spread_over(400, 1900, 760))
    assert _judged(sums, subjects=1).reading is Reading.OK


def test_one_subject_that_always_fails_does_not_breach() -> None:
    sums = ErrorSums()
    for _ in range(10):
        candidate = spread_over(40, 95, 1) | {"unlucky": Counts(5, 5)}
        sums += ErrorSums.of_chunk(candidate, spread_over(400, 1900, 19))
    assert _judged(sums, subjects=41).reading is Reading.HOLD


def test_one_subject_that_always_fails_breaches_in_small_chunks_neither() -> None:
    sums = ErrorSums()
    for chunk in range(40):
        candidate = {f"user-{chunk}-{number}": Counts(1) for number in range(4)} | {"unlucky": Counts(6, 6)}
        sums += ErrorSums.of_chunk(candidate, spread_over(190, 190, 0))
    verdict = _judged(sums, subjects=161)
    assert verdict.e_above > ALARM.value
    assert verdict.reading is Reading.HOLD
    assert verdict.reasons[1].startswith("Most of these errors are of one subject")


def test_one_subject_that_floods_with_errors_is_no_outage() -> None:
    flood = spread_over(40, 95, 1) | {"flood": Counts(95, 95)}
    sums = ErrorSums.of_chunk(flood, spread_over(400, 1900, 19))
    assert sums.candidate.rate == pytest.approx(0.505, abs=0.001)
    assert _judged(sums, subjects=41).reading is Reading.HOLD
    frozen = ErrorBaseline(ErrorSums.of_chunk({}, spread_over(400, 1900, 19)).stable, 1.0)
    assert judge_errors_frozen(sums.candidate, frozen, subjects=41, alarm=ALARM).reading is Reading.HOLD


def test_a_subject_counts_at_most_a_twentieth_of_a_chunk() -> None:
    arm = ErrorSums.of_chunk(spread_over(40, 400, 0) | {"flood": Counts(600, 600)}, {}).candidate
    assert (arm.requests, arm.errors) == (1000, 600)
    assert (arm.exposure, arm.event_count) == pytest.approx((450, 50), abs=0.5)


def test_a_small_chunk_counts_every_subjects_request() -> None:
    arm = ErrorSums.of_chunk(spread_over(5, 5, 2), {}).candidate
    assert (arm.exposure, arm.event_count) == (5, 2)


@pytest.mark.parametrize(("requests", "errors"), [(1, 2), (-1, -1), (3, -1)])
def test_more_errors_than_requests_are_refused(requests: int, errors: int) -> None:
    with pytest.raises(ValueError, match="count each request once"):
        Counts(requests, errors)


def test_a_limit_outside_the_grid_is_refused() -> None:
    with pytest.raises(ValueError, match="choose one inside"):
        RatioLikelihood().evidence(60.0)


@unhurried
@given(
    chunks=st.lists(st.tuples(st.integers(0, 20), st.integers(0, 50)), min_size=1, max_size=5),
    more=st.integers(1, 30),
    limit=st.floats(0.5, 5),
    dispersion=st.floats(1, 5),
)
def test_more_candidate_errors_never_lower_the_evidence(
    chunks: list[tuple[int, int]], more: int, limit: float, dispersion: float
) -> None:
    def log_above(extra: int) -> float:
        sums = RatioLikelihood()
        for errors, stable_errors in chunks:
            sums += RatioLikelihood.of(Pair(errors + extra, stable_errors, 100, 400))
        return sums.evidence(limit, dispersion).log_above

    assert log_above(more) >= log_above(0) - 1e-9


@unhurried
@given(own=ARM_CHUNKS, other=ARM_CHUNKS)
def test_a_candidate_without_errors_never_breaches(own: dict[str, Counts], other: dict[str, Counts]) -> None:
    clean = {name: Counts(counts.requests) for name, counts in own.items()}
    verdict = judge_errors(ErrorSums.of_chunk(clean, other), subjects=len(clean), alarm=MONITOR_ALARM)
    assert verdict.reading is not Reading.BREACH
    assert verdict.e_above <= 1 + 1e-9


def test_the_rollouts_alarm_grows_with_what_it_watches() -> None:
    assert rollout_alarm(monitors=3, slices=2, checkpoints=4) == ALARM
    with pytest.raises(ValueError, match="at least one"):
        rollout_alarm(monitors=0, slices=1, checkpoints=1)
