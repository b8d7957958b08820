"""The rows of contracts.md's table that the ticker carries out, each by its own name."""

from dataclasses import replace
from datetime import timedelta

import pytest

from audit.events import Event
from releases.monitors.verdict import Reading
from releases.rollouts.commands import pause, promote, resume
from releases.rollouts.deciding import decide
from releases.rollouts.decisions import Act, Decision
from releases.rollouts.evidence import Facts, Monitor, MonitorVerdicts, PolicyVerdict
from releases.rollouts.states import HARD_CLOCK, Rollout, State
from releases.rollouts.transitions import advanced
from tests.releases.pure.rollouts.scene import (
    BREACH,
    COSTLY,
    DWELL,
    HOLD,
    OK,
    ORDER,
    OTHER,
    SECOND,
    SOUND,
    T0,
    TOXIC,
    after,
    at,
    begun,
    seen,
    verdict,
)

FEW = {"requests": 10}


def _extended(times: int, **values: object) -> tuple[Rollout, MonitorVerdicts]:
    """A first checkpoint whose dwell has been extended this often, and what was measured there."""
    rollout = at(1)
    measured = seen(rollout, **values)
    for turn in range(1, times + 1):
        decision = decide(rollout, T0 + turn * DWELL, measured, SOUND)
        assert decision.act is Act.EXTENDED
        rollout = after(decision)
    return rollout, measured


def _waiting() -> Rollout:
    rollout, measured = _extended(3, quality=HOLD)
    return after(decide(rollout, T0 + 4 * DWELL, measured, SOUND))


def _tick(rollout: Rollout, dwelt: timedelta, **values: object) -> Decision:
    return decide(rollout, rollout.entered_at + dwelt, seen(rollout, **values), SOUND)


@pytest.mark.parametrize("checkpoint", [1, 2])
def test_dwell_requests_and_all_monitors_ok_promote_to_the_next_checkpoint(checkpoint: int) -> None:
    rollout = at(checkpoint)
    decision = _tick(rollout, rollout.dwell)
    assert decision.act is Act.PROMOTED
    assert decision.event is Event.CHECKPOINT_PROMOTED
    assert after(decision).checkpoint == checkpoint + 1
    assert after(decision).version == rollout.version + 1


def test_after_the_last_checkpoint_the_rollout_is_completed() -> None:
    decision = _tick(at(3), DWELL)
    assert (decision.act, after(decision).state) == (Act.COMPLETED, State.COMPLETED)
    assert after(decision).basis_points == 10_000


def test_a_dwell_that_is_not_over_waits_whatever_the_requests() -> None:
    assert _tick(at(1), DWELL - SECOND, requests=10**6).act is Act.NOTHING


def test_requests_that_are_missing_wait_whatever_the_dwell() -> None:
    assert _tick(at(1), DWELL, requests=999).act is Act.EXTENDED


def test_one_tick_moves_one_checkpoint_however_late_it_comes() -> None:
    decision = _tick(at(1), timedelta(days=3))
    assert after(decision).checkpoint == 2
    assert decide(after(decision), T0 + timedelta(days=3), seen(after(decision)), SOUND).act is Act.NOTHING


def test_evidence_of_an_earlier_checkpoint_promotes_nothing() -> None:
    rollout = at(2, T0 + DWELL)
    decision = _tick(rollout, rollout.dwell, since=T0)
    assert decision.act is Act.EXTENDED
    assert "0 of 10,000" in decision.reasons[1]


@pytest.mark.parametrize("monitor", ["errors", "latency", "quality"])
def test_a_monitor_that_is_not_proven_ok_extends_the_dwell(monitor: str) -> None:
    decision = _tick(at(1), DWELL, **{monitor: HOLD})
    assert (decision.act, decision.event) == (Act.EXTENDED, Event.CHECKPOINT_HELD)
    assert decision.reasons == ("Extended by 4 min, 1 of 3.", *HOLD.headlines)
    assert after(decision).checkpoint == 1


def test_an_extension_is_one_more_dwell() -> None:
    rollout, _ = _extended(1, quality=HOLD)
    assert _tick(rollout, 2 * DWELL - SECOND).act is Act.NOTHING
    assert _tick(rollout, 2 * DWELL).act is Act.PROMOTED


def test_requests_that_come_in_an_extension_end_it() -> None:
    rollout, _ = _extended(1, **FEW)
    assert _tick(rollout, timedelta(seconds=432)).act is Act.PROMOTED


def test_a_lucky_moment_within_an_extension_promotes_nothing() -> None:
    rollout, _ = _extended(1, requests=10, quality=HOLD)
    judged = after(_tick(rollout, 1.5 * DWELL, quality=HOLD))
    assert judged.extensions == 2
    assert _tick(judged, 1.5 * DWELL + SECOND).act is Act.NOTHING


@pytest.mark.parametrize("values", [{"quality": HOLD}, FEW], ids=["not proven", "not enough evidence"])
def test_after_three_extensions_a_person_is_waited_for(values: dict[str, object]) -> None:
    rollout, measured = _extended(3, **values)
    assert decide(rollout, T0 + 4 * DWELL - SECOND, measured, SOUND).act is Act.NOTHING
    decision = decide(rollout, T0 + 4 * DWELL, measured, SOUND)
    assert (decision.act, decision.event) == (Act.WAITING_REVIEW, Event.CHECKPOINT_WAITING_REVIEW)
    assert after(decision).basis_points == 500


def test_a_policy_that_pauses_for_review_does_so_at_once() -> None:
    decision = _tick(at(1), SECOND, policies=(TOXIC,))
    assert (decision.act, decision.reasons) == (Act.WAITING_REVIEW, TOXIC.reasons)


def test_a_reviewed_policy_does_not_pause_the_same_checkpoint_again() -> None:
    rollout = after(_tick(at(1), SECOND, policies=(TOXIC,)))
    measured = seen(rollout, policies=(TOXIC,))
    again = after(resume(rollout, T0 + 2 * SECOND, ORDER, measured, SOUND))
    assert decide(again, T0 + 3 * SECOND, measured, SOUND).act is Act.NOTHING


def test_a_reviewed_policy_pauses_the_next_checkpoint() -> None:
    rollout = after(_tick(at(1), SECOND, policies=(TOXIC,)))
    measured = seen(rollout, policies=(TOXIC,))
    reviewed = after(resume(rollout, T0 + 2 * SECOND, ORDER, measured, SOUND))
    following = after(promote(reviewed, T0 + DWELL, ORDER, measured, SOUND))
    assert _tick(following, SECOND, policies=(TOXIC,)).act is Act.WAITING_REVIEW


@pytest.mark.parametrize("policy", [TOXIC, COSTLY], ids=["pauses", "rolls back"])
def test_a_policy_that_is_dry_has_no_effect(policy: PolicyVerdict) -> None:
    assert _tick(at(1), DWELL, policies=(replace(policy, dry=True),)).act is Act.PROMOTED


def test_a_policy_that_is_not_violated_has_no_effect() -> None:
    assert _tick(at(1), DWELL, policies=(replace(COSTLY, violated=False),)).act is Act.PROMOTED


def test_a_monitor_without_any_verdict_holds() -> None:
    decision = _tick(at(1), DWELL, quality=Monitor(()))
    assert (decision.act, decision.reasons[1]) == (Act.EXTENDED, "Nothing has been measured yet.")


def test_a_monitor_reads_as_its_worst_verdict() -> None:
    slices = Monitor((*OK.verdicts, verdict(Reading.HOLD, "French: 3 pairs."), *OK.verdicts))
    assert _tick(at(1), DWELL, quality=slices).reasons[1:] == ("French: 3 pairs.",)
    assert _tick(at(1), SECOND, quality=Monitor((*slices.verdicts, *BREACH.verdicts))).act is Act.HALTED


def test_a_new_checkpoint_begins_with_clocks_extensions_and_reviews_of_its_own() -> None:
    used = replace(
        at(1),
        due=3 * DWELL,
        judged=True,
        extensions=2,
        frozen=DWELL,
        stopped_at=T0 + DWELL,
        first_held_at=T0,
        reviewed=frozenset({"toxicity"}),
    )
    entered = T0 + 10 * DWELL
    following = after(advanced(used, entered, ("Said.",)))
    assert following == replace(at(2, entered), reasons=("Said.",), version=following.version)


def test_a_failed_sample_ratio_waits_for_a_review_at_once() -> None:
    decision = _tick(at(1), DWELL, sample_ratio="40 % of the subjects are the candidate's, not 5 %.")
    assert decision.act is Act.WAITING_REVIEW


def test_a_foreign_fingerprint_waits_for_a_review_at_once() -> None:
    rollout = at(1)
    decision = decide(rollout, T0 + DWELL, seen(rollout), replace(SOUND, foreign=(OTHER,)))
    assert decision.act is Act.WAITING_REVIEW
    assert OTHER[:12] in decision.reasons[0]


STAGES = {
    "shadowing": begun(shadow=replace(at(1).step, percent=0)),
    "checkpoint": at(2),
    "paused": after(pause(at(2), T0, ORDER, seen(at(2)), SOUND)),
    "waiting_review": _waiting(),
}
any_state = pytest.mark.parametrize("rollout", STAGES.values(), ids=STAGES.keys())


@any_state
@pytest.mark.parametrize("monitor", ["errors", "latency", "quality"])
def test_a_proven_breach_halts_from_any_state(rollout: Rollout, monitor: str) -> None:
    decision = _tick(rollout, SECOND, **{monitor: BREACH})
    assert (decision.act, decision.reasons) == (Act.HALTED, BREACH.headlines)
    assert after(decision).basis_points == 0
    assert after(decision).dwelt(T0 + HARD_CLOCK) == rollout.dwelt(T0 + SECOND)


@any_state
def test_a_violated_policy_that_rolls_back_halts_from_any_state(rollout: Rollout) -> None:
    assert _tick(rollout, SECOND, policies=(COSTLY,)).act is Act.HALTED


@any_state
def test_an_integrity_failure_halts_from_any_state(rollout: Rollout) -> None:
    decision = decide(rollout, T0, seen(rollout), replace(SOUND, integrity=("The manifest is not its digest's.",)))
    assert decision.act is Act.HALTED


@any_state
def test_a_stable_release_changed_underneath_aborts_from_any_state(rollout: Rollout) -> None:
    decision = decide(rollout, T0, seen(rollout), Facts(OTHER))
    assert (decision.act, after(decision).basis_points) == (Act.ABORTED, 0)


def test_a_rollback_underneath_comes_before_a_halt() -> None:
    rollout = at(1)
    assert decide(rollout, T0, seen(rollout, errors=BREACH), Facts(OTHER)).act is Act.ABORTED


def test_a_breach_that_was_read_dry_has_no_effect() -> None:
    assert _tick(at(1), DWELL, quality=replace(BREACH, dry=True)).act is Act.PROMOTED


@pytest.mark.parametrize("stage", ["paused", "waiting_review"])
def test_a_hold_of_24_hours_halts(stage: str) -> None:
    rollout = STAGES[stage]
    assert rollout.first_held_at is not None
    ends = rollout.first_held_at + HARD_CLOCK
    assert decide(rollout, ends - SECOND, seen(rollout), SOUND).act is Act.NOTHING
    assert decide(rollout, ends, seen(rollout), SOUND).act is Act.HALTED


def test_the_24_hours_count_from_the_first_hold_of_the_checkpoint() -> None:
    first = after(pause(at(2), T0, ORDER, seen(at(2)), SOUND))
    moving = after(resume(first, T0 + timedelta(hours=1), ORDER, seen(first), SOUND))
    second = after(pause(moving, T0 + timedelta(hours=1, minutes=1), ORDER, seen(moving), SOUND))
    assert decide(second, T0 + HARD_CLOCK, seen(second), SOUND).act is Act.HALTED


def test_a_new_checkpoint_has_24_hours_of_its_own() -> None:
    first = after(pause(at(1), T0, ORDER, seen(at(1)), SOUND))
    following = after(promote(first, T0 + timedelta(hours=23), ORDER, seen(first), SOUND))
    held = after(pause(following, T0 + timedelta(hours=23), ORDER, seen(following), SOUND))
    assert decide(held, T0 + timedelta(hours=46), seen(held), SOUND).act is Act.NOTHING


def test_a_shadow_goes_on_to_the_first_checkpoint() -> None:
    rollout = STAGES["shadowing"]
    assert _tick(rollout, DWELL - SECOND).act is Act.NOTHING
    decision = _tick(rollout, DWELL)
    assert (decision.act, after(decision).checkpoint, after(decision).basis_points) == (Act.PROMOTED, 1, 500)


@pytest.mark.parametrize("values", [FEW, {"quality": HOLD}], ids=["requests", "monitors"])
def test_a_shadow_waits_for_its_evidence(values: dict[str, object]) -> None:
    assert _tick(STAGES["shadowing"], 10 * DWELL, **values).act is Act.NOTHING


def test_a_shadow_with_answers_of_another_bundle_does_not_go_on() -> None:
    rollout = STAGES["shadowing"]
    assert decide(rollout, T0 + DWELL, seen(rollout), replace(SOUND, foreign=(OTHER,))).act is Act.NOTHING


def test_a_cold_start_is_completed_after_a_day_in_shadow() -> None:
    rollout = begun(previous=None)
    alone = Facts(None)
    assert decide(rollout, T0 + timedelta(hours=24) - SECOND, seen(rollout), alone).act is Act.NOTHING
    decision = decide(rollout, T0 + timedelta(hours=24), seen(rollout), alone)
    assert (decision.act, after(decision).basis_points) == (Act.COMPLETED, 10_000)


@pytest.mark.parametrize("state", [State.COMPLETED, State.HALTED, State.ABORTED])
def test_a_tick_changes_nothing_of_what_is_over(state: State) -> None:
    rollout = replace(at(1), state=state)
    decision = decide(rollout, T0 + DWELL, seen(rollout, errors=BREACH), Facts(OTHER))
    assert (decision.act, decision.rollout) == (Act.NOTHING, rollout)


def test_a_clock_that_jumps_back_counts_as_one_that_stands() -> None:
    assert _tick(at(1), -timedelta(hours=1)).act is Act.NOTHING
    assert at(1).dwelt(T0 - DWELL) == timedelta(0)
