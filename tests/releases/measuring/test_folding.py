"""Folding counts each trace of the checkpoint once, on its arm, as what it was."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest

from relcontrol.model_servers.outcomes import OTHER_ENDS, REFUSED, RELEASE_ERRORS
from releases.measuring import folding
from releases.measuring.checkpoint_sums import CheckpointSums, SubjectCounts
from releases.measuring.folding import fold
from releases.rollout_models import MeasuredSubject, Measurement, Rollout
from tests.releases.measuring.conftest import Horizon
from tests.releases.measuring.rows import ENTERED, GENERATION, Row, move, new_rollout, write
from tests.releases.scene import Scene

LATER = ENTERED + timedelta(seconds=30)


def _sums(measurement: Measurement) -> CheckpointSums:
    return CheckpointSums.from_json(measurement.sums)


def _folded(rollout: Rollout, horizon: Horizon, rows: list[Row], at: Any = LATER) -> Measurement:
    write(rollout, rows, xact=horizon.next())
    return fold(rollout, at)


def test_the_first_fold_begins_the_measurement_of_the_checkpoint(rollout: Rollout, horizon: Horizon) -> None:
    made = fold(rollout, ENTERED)
    assert (made.checkpoint, made.entered_at, made.generation) == (1, ENTERED, GENERATION)
    assert (made.folded_to, made.candidate_requests) == (0, 0)


def test_requests_errors_and_subjects_of_both_arms_are_counted(rollout: Rollout, horizon: Horizon) -> None:
    rows = [Row(subject="anna"), Row(subject="anna", error="timeout"), Row(arm="stable", subject="ben")]
    made = _folded(rollout, horizon, rows)
    assert (made.candidate_requests, made.candidate_subjects) == (2, 1)
    assert (made.stable_requests, made.stable_subjects) == (1, 1)
    assert (_sums(made).errors.candidate.errors, _sums(made).errors.stable.errors) == (1, 0)


def test_the_sums_are_those_of_the_monitors_on_the_same_chunk(rollout: Rollout, horizon: Horizon) -> None:
    rows = [Row(subject=f"s{number % 7}", latency_ms=500.0 + number) for number in range(40)]
    rows += [Row(arm="stable", subject=f"t{number % 9}", latency_ms=400.0 + number) for number in range(90)]
    made = _folded(rollout, horizon, [*rows, Row(subject="s1", error="upstream_5xx")])
    assert (
        made.sums
        == CheckpointSums.of_chunk(_chunk("s", 7, 40, 500.0, failed="s1"), _chunk("t", 9, 90, 400.0)).as_json()
    )


def _chunk(name: str, subjects: int, number: int, first: float, failed: str = "") -> dict[str, SubjectCounts]:
    return {
        _digest(f"{name}{who}"): SubjectCounts(
            len(range(who, number, subjects)) + (f"{name}{who}" == failed),
            int(f"{name}{who}" == failed),
            [first + one for one in range(who, number, subjects)],
            [120.0] * len(range(who, number, subjects)),
        )
        for who in range(subjects)
    }


def _digest(subject: str) -> str:
    return hashlib.sha256(subject.encode()).hexdigest()[:32]


@pytest.mark.parametrize("error", sorted(RELEASE_ERRORS))
def test_what_the_release_failed_is_an_error_and_its_latency_is_none(
    rollout: Rollout, horizon: Horizon, error: str
) -> None:
    sums = _sums(_folded(rollout, horizon, [Row(error=error)]))
    assert (sums.errors.candidate.errors, sums.total.candidate.requests, sums.ttft.candidate.requests) == (1, 0, 0)


@pytest.mark.parametrize("error", sorted(OTHER_ENDS - {REFUSED}))
def test_what_the_client_did_is_a_request_without_error_and_without_latency(
    rollout: Rollout, horizon: Horizon, error: str
) -> None:
    sums = _sums(_folded(rollout, horizon, [Row(error=error)]))
    assert (sums.errors.candidate.requests, sums.errors.candidate.errors) == (1, 0)
    assert sums.total.candidate.requests == 0


def test_what_the_gateway_refused_never_reached_the_release(rollout: Rollout, horizon: Horizon) -> None:
    assert _folded(rollout, horizon, [Row(error=REFUSED)]).candidate_requests == 0


def test_a_trace_of_an_earlier_generation_belongs_to_no_later_checkpoint(rollout: Rollout, horizon: Horizon) -> None:
    late = Row(generation=GENERATION - 1, started_at=LATER)
    assert _folded(rollout, horizon, [late]).candidate_requests == 0


def test_a_trace_without_generation_counts_by_its_start(rollout: Rollout, horizon: Horizon) -> None:
    before = Row(generation=None, started_at=ENTERED - timedelta(milliseconds=1))
    made = _folded(rollout, horizon, [before, before.but(started_at=ENTERED)])
    assert made.candidate_requests == 1


def test_traces_of_another_rollout_or_of_no_arm_are_not_counted(rollout: Rollout, horizon: Horizon) -> None:
    assert _folded(rollout, horizon, [Row(rollout="rol_other"), Row(arm=None)]).candidate_requests == 0


def test_another_organization_cannot_write_into_a_rollout(rollout: Rollout, horizon: Horizon, eastgate: Scene) -> None:
    theirs = new_rollout(eastgate)
    write(theirs, [Row(rollout=rollout.pk)], xact=horizon.next())
    assert fold(rollout, LATER).candidate_requests == 0


def test_few_traces_wait_until_ten_seconds_have_passed(rollout: Rollout, horizon: Horizon) -> None:
    rows = [Row() for _ in range(folding.CHUNK_TRACES - 1)]
    assert _folded(rollout, horizon, rows, ENTERED + timedelta(seconds=9)).candidate_requests == 0
    assert fold(rollout, ENTERED + timedelta(seconds=10)).candidate_requests == len(rows)


def test_enough_traces_are_counted_at_once(rollout: Rollout, horizon: Horizon) -> None:
    rows = [Row() for _ in range(folding.CHUNK_TRACES)]
    assert _folded(rollout, horizon, rows, ENTERED + timedelta(seconds=1)).candidate_requests == len(rows)


def test_folding_again_counts_nothing_twice(rollout: Rollout, horizon: Horizon) -> None:
    first = _folded(rollout, horizon, [Row()])
    again = fold(rollout, LATER + timedelta(seconds=30))
    assert (again.candidate_requests, again.sums) == (1, first.sums)


def test_a_late_spool_is_counted_when_it_comes(rollout: Rollout, horizon: Horizon) -> None:
    _folded(rollout, horizon, [Row()])
    assert _folded(rollout, horizon, [Row()], LATER + timedelta(hours=1)).candidate_requests == 2


def test_what_a_running_transaction_wrote_waits_for_its_end(rollout: Rollout, horizon: Horizon) -> None:
    write(rollout, [Row()], xact=horizon.at)
    assert fold(rollout, LATER).candidate_requests == 0
    horizon.next()
    assert fold(rollout, LATER + timedelta(seconds=10)).candidate_requests == 1


def test_a_horizon_that_is_read_before_another_fold_counts_nothing_again(rollout: Rollout, horizon: Horizon) -> None:
    _folded(rollout, horizon, [Row()])
    horizon.at -= 1
    later = fold(rollout, LATER + timedelta(seconds=30))
    assert (later.candidate_requests, later.folded_to) == (1, horizon.at + 1)


def test_subjects_are_counted_once_over_all_folds(rollout: Rollout, horizon: Horizon) -> None:
    _folded(rollout, horizon, [Row(subject="anna")])
    made = _folded(rollout, horizon, [Row(subject="anna"), Row(subject="ben")], LATER + timedelta(minutes=1))
    assert made.candidate_subjects == 2 == MeasuredSubject.objects.filter(measurement=made).count()


def test_a_new_checkpoint_begins_with_nothing_and_leaves_the_old_one(rollout: Rollout, horizon: Horizon) -> None:
    old = _folded(rollout, horizon, [Row()])
    move(rollout, 2, LATER, GENERATION + 1)
    new = _folded(rollout, horizon, [Row(), Row(generation=GENERATION + 1)], LATER + timedelta(seconds=20))
    assert (new.checkpoint, new.candidate_requests) == (2, 1)
    old.refresh_from_db()
    assert old.candidate_requests == 1


def test_a_rollout_that_has_moved_on_is_folded_where_it_is(rollout: Rollout, horizon: Horizon) -> None:
    stale = Rollout.objects.get(pk=rollout.pk)
    move(rollout, 2, LATER, GENERATION + 1)
    made = _folded(stale, horizon, [Row(generation=GENERATION + 1)], LATER + timedelta(seconds=20))
    assert (made.checkpoint, made.candidate_requests) == (2, 1)


def test_in_a_shadow_the_copies_are_the_candidates_requests(rollout: Rollout, horizon: Horizon) -> None:
    move(rollout, 0, ENTERED, GENERATION)
    made = _folded(rollout, horizon, [Row(arm="shadow"), Row(arm="shadow"), Row(arm="stable")])
    assert (made.candidate_requests, made.stable_requests) == (2, 1)


def test_copies_do_not_count_once_the_candidate_answers_itself(rollout: Rollout, horizon: Horizon) -> None:
    assert _folded(rollout, horizon, [Row(arm="shadow")]).candidate_requests == 0


def test_a_large_backlog_is_cut_between_two_transactions(
    rollout: Rollout, horizon: Horizon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folding, "MOST_TRACES", 5)
    for _ in range(3):
        write(rollout, [Row() for _ in range(3)], xact=horizon.next())
    counted = [fold(rollout, LATER + timedelta(seconds=10 * n)).candidate_requests for n in range(4)]
    assert counted == [3, 6, 9, 9]


def test_one_transaction_that_is_too_large_is_counted_whole(
    rollout: Rollout, horizon: Horizon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folding, "MOST_TRACES", 5)
    write(rollout, [Row() for _ in range(8)], xact=horizon.next())
    write(rollout, [Row()], xact=horizon.next())
    assert fold(rollout, LATER).candidate_requests == 8
    assert fold(rollout, LATER + timedelta(seconds=10)).candidate_requests == 9
