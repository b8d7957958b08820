"""What a person may do, what overtakes her, and what is refused."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from audit.events import Event
from releases.rollouts.commands import Order, abort, halt, pause, promote, resume
from releases.rollouts.deciding import decide
from releases.rollouts.decisions import Act, Decision, Refusal
from releases.rollouts.evidence import Facts, MonitorVerdicts
from releases.rollouts.states import HARD_CLOCK, Rollout, State
from tests.releases.pure.rollouts.scene import (
    BREACH,
    DWELL,
    HOLD,
    ORDER,
    OTHER,
    SECOND,
    SOUND,
    T0,
    after,
    at,
    begun,
    seen,
)

HOUR = timedelta(hours=1)
ALARM = "40 % of the subjects are the candidate's, not 5 %."

Command = Callable[[Rollout, datetime, Order, MonitorVerdicts, Facts], Decision]


def _halt(rollout: Rollout, now: datetime, order: Order, measured: MonitorVerdicts, facts: Facts) -> Decision:
    return halt(rollout, now, order, facts)


def _abort(rollout: Rollout, now: datetime, order: Order, measured: MonitorVerdicts, facts: Facts) -> Decision:
    return abort(rollout, now, order)


COMMANDS: dict[str, Command] = {
    "pause": pause,
    "resume": resume,
    "promote": promote,
    "halt": _halt,
    "abort": _abort,
}
every_command = pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
read_first = pytest.mark.parametrize("command", [pause, resume, promote])


def _paused(checkpoint: int = 1, now: datetime = T0) -> Rollout:
    return after(pause(at(checkpoint), now, ORDER, seen(at(checkpoint)), SOUND))


def _waiting() -> Rollout:
    rollout = at(1)
    for turn in range(1, 5):
        rollout = after(decide(rollout, T0 + turn * DWELL, seen(rollout, quality=HOLD), SOUND))
    return rollout


def _shadowing() -> Rollout:
    return begun(shadow=replace(at(1).step, percent=0))


@pytest.mark.parametrize("rollout", [at(1), _shadowing()], ids=["checkpoint", "shadow"])
def test_a_person_pauses_what_moves(rollout: Rollout) -> None:
    decision = pause(rollout, T0, ORDER, seen(rollout), SOUND)
    assert (decision.act, decision.event, decision.refusal) == (Act.PAUSED, Event.ROLLOUT_PAUSED, None)
    assert decision.reasons == ("Tom Behrens: The numbers look right to me.",)
    assert after(decision).basis_points == rollout.basis_points


@pytest.mark.parametrize("rollout", [_paused(), _waiting()], ids=["paused", "waiting_review"])
def test_what_is_held_cannot_be_paused(rollout: Rollout) -> None:
    assert pause(rollout, T0, ORDER, seen(rollout), SOUND).refusal is Refusal.STATE


@pytest.mark.parametrize("checkpoint", [1, 2, 3])
def test_a_person_resumes_at_the_same_checkpoint(checkpoint: int) -> None:
    rollout = _paused(checkpoint)
    decision = resume(rollout, T0 + HOUR, ORDER, seen(rollout), SOUND)
    assert (decision.act, decision.event) == (Act.RESUMED, Event.ROLLOUT_RESUMED)
    assert (after(decision).state, after(decision).checkpoint) == (State.CHECKPOINT, checkpoint)


def test_a_paused_shadow_is_resumed_as_a_shadow() -> None:
    held = after(pause(_shadowing(), T0, ORDER, seen(_shadowing()), SOUND))
    assert after(resume(held, T0, ORDER, seen(held), SOUND)).state is State.SHADOWING


def test_what_moves_cannot_be_resumed() -> None:
    assert resume(at(1), T0, ORDER, seen(at(1)), SOUND).refusal is Refusal.STATE


def test_a_pause_freezes_the_dwell() -> None:
    held = after(pause(at(1), T0 + 100 * SECOND, ORDER, seen(at(1)), SOUND))
    assert held.dwelt(T0 + HOUR) == 100 * SECOND
    moving = after(resume(held, T0 + HOUR, ORDER, seen(held), SOUND))
    assert moving.dwelt(T0 + HOUR + 5 * SECOND) == 105 * SECOND
    assert decide(moving, T0 + HOUR + 139 * SECOND, seen(moving), SOUND).act is Act.NOTHING
    assert decide(moving, T0 + HOUR + 140 * SECOND, seen(moving), SOUND).act is Act.PROMOTED


def test_two_pauses_freeze_the_dwell_twice() -> None:
    rollout = at(1)
    for turn in (1, 2):
        rollout = after(pause(rollout, T0 + turn * HOUR, ORDER, seen(rollout), SOUND))
        rollout = after(resume(rollout, T0 + turn * HOUR + 10 * SECOND, ORDER, seen(rollout), SOUND))
    assert rollout.dwelt(T0 + 2 * HOUR + 10 * SECOND) == 2 * HOUR - 10 * SECOND


def test_a_resume_after_a_review_gives_one_more_dwell() -> None:
    rollout, now = _waiting(), T0 + HOUR
    moving = after(resume(rollout, now, ORDER, seen(rollout, quality=HOLD), SOUND))
    assert decide(moving, now + DWELL - SECOND, seen(moving, quality=HOLD), SOUND).act is Act.NOTHING
    assert decide(moving, now + DWELL, seen(moving, quality=HOLD), SOUND).act is Act.WAITING_REVIEW
    assert decide(moving, now + DWELL, seen(moving), SOUND).act is Act.PROMOTED


def test_requests_that_came_during_a_review_do_not_end_the_dwell_that_a_person_gave() -> None:
    rollout = at(1)
    for turn in range(1, 5):
        rollout = after(decide(rollout, T0 + turn * DWELL, seen(rollout, requests=3), SOUND))
    moving = after(resume(rollout, T0 + HOUR, ORDER, seen(rollout, quality=HOLD), SOUND))
    assert decide(moving, T0 + HOUR + SECOND, seen(moving, quality=HOLD), SOUND).act is Act.NOTHING


def test_a_review_in_the_middle_of_a_dwell_does_not_lengthen_it() -> None:
    rollout = after(decide(at(1), T0 + SECOND, seen(at(1), sample_ratio=ALARM), SOUND))
    moving = after(resume(rollout, T0 + HOUR, ORDER, seen(rollout), SOUND))
    assert decide(moving, T0 + HOUR + DWELL - SECOND, seen(moving), SOUND).act is Act.PROMOTED


def test_a_pause_does_not_lengthen_a_shadow_that_waits_for_evidence() -> None:
    shadow, late = _shadowing(), T0 + HOUR
    held = after(pause(shadow, late, ORDER, seen(shadow), SOUND))
    moving = after(resume(held, late, ORDER, seen(held), SOUND))
    assert decide(moving, late, seen(moving), SOUND).act is Act.PROMOTED


STAGES = {"checkpoint": at(1), "paused": _paused(), "waiting_review": _waiting()}


@pytest.mark.parametrize("rollout", STAGES.values(), ids=STAGES.keys())
def test_a_person_promotes_one_checkpoint_without_waiting(rollout: Rollout) -> None:
    measured = seen(rollout, requests=3, quality=HOLD)
    decision = promote(rollout, T0 + HOUR, ORDER, measured, SOUND)
    assert (decision.act, decision.event) == (Act.PROMOTED, Event.CHECKPOINT_PROMOTED)
    assert after(decision).checkpoint == 2
    assert after(decision).dwelt(T0 + HOUR) == timedelta(0)


def test_a_person_who_promotes_the_last_checkpoint_completes() -> None:
    assert promote(at(3), T0, ORDER, seen(at(3)), SOUND).act is Act.COMPLETED


@pytest.mark.parametrize("previous", ["5" * 64, None], ids=["asked for", "cold start"])
def test_nobody_promotes_out_of_a_shadow(previous: str | None) -> None:
    rollout = begun(previous, shadow=replace(at(1).step, percent=0))
    facts = Facts(previous)
    held = after(pause(rollout, T0, ORDER, seen(rollout), facts))
    for stage in (rollout, held):
        assert promote(stage, T0, ORDER, seen(stage), facts).refusal is Refusal.STATE


@pytest.mark.parametrize("rollout", [*STAGES.values(), _shadowing()], ids=[*STAGES.keys(), "shadowing"])
def test_a_person_halts_whatever_moves(rollout: Rollout) -> None:
    decision = halt(rollout, T0, ORDER, SOUND)
    assert (decision.act, decision.event, after(decision).basis_points) == (Act.HALTED, Event.ROLLOUT_HALTED, 0)


@pytest.mark.parametrize("rollout", STAGES.values(), ids=STAGES.keys())
def test_a_rollback_of_the_route_aborts_its_rollout(rollout: Rollout) -> None:
    decision = abort(rollout, T0, ORDER)
    assert (decision.act, decision.event, after(decision).basis_points) == (Act.ABORTED, Event.ROLLOUT_ABORTED, 0)


@read_first
@pytest.mark.parametrize("rollout", STAGES.values(), ids=STAGES.keys())
def test_a_breach_overtakes_every_command_but_a_halt(command: Command, rollout: Rollout) -> None:
    decision = command(rollout, T0, ORDER, seen(rollout, errors=BREACH), SOUND)
    assert (decision.act, decision.refusal) == (Act.HALTED, Refusal.OVERTAKEN)
    assert decision.changes
    conflict = decision.conflict()
    assert conflict is not None
    assert conflict.state["state"] == "halted"


@pytest.mark.parametrize("command", [pause, resume, promote, _halt])
def test_a_rollback_underneath_overtakes_every_command(command: Command) -> None:
    decision = command(_paused(), T0, ORDER, seen(_paused()), Facts(OTHER))
    assert (decision.act, decision.refusal) == (Act.ABORTED, Refusal.OVERTAKEN)


@pytest.mark.parametrize("command", [resume, promote])
def test_the_hard_clock_overtakes_who_comes_too_late(command: Command) -> None:
    decision = command(_paused(), T0 + HARD_CLOCK, ORDER, seen(_paused()), SOUND)
    assert (decision.act, decision.refusal) == (Act.HALTED, Refusal.OVERTAKEN)


@pytest.mark.parametrize("command", [resume, promote])
@pytest.mark.parametrize("facts", [SOUND, replace(SOUND, foreign=(OTHER,))], ids=["ratio", "fingerprint"])
def test_nobody_goes_on_past_an_alarm_that_stands(command: Command, facts: Facts) -> None:
    ratio = None if facts.foreign else ALARM
    rollout = _paused()
    decision = command(rollout, T0, ORDER, seen(rollout, sample_ratio=ratio), facts)
    assert (decision.act, decision.refusal, decision.rollout) == (Act.NOTHING, Refusal.ALARM, rollout)


def test_a_pause_after_24_hours_of_holding_says_what_it_does() -> None:
    moving = after(resume(_paused(), T0 + HOUR, ORDER, seen(_paused()), SOUND))
    decision = pause(moving, T0 + HARD_CLOCK, ORDER, seen(moving), SOUND)
    assert decision.act is Act.PAUSED
    assert "halts at the next look" in decision.reasons[1]


@every_command
@pytest.mark.parametrize("state", [State.COMPLETED, State.HALTED, State.ABORTED])
def test_what_is_over_refuses_every_command_with_its_fresh_state(command: Command, state: State) -> None:
    rollout = replace(at(2), state=state, reasons=("It was so.",))
    decision = command(rollout, T0, ORDER, seen(rollout), SOUND)
    assert (decision.act, decision.refusal, decision.rollout) == (Act.NOTHING, Refusal.OVER, rollout)
    conflict = decision.conflict()
    assert conflict is not None
    assert (conflict.code, conflict.state["state"]) == ("rollout_over", state.value)
    assert "It was so." in conflict.detail


@every_command
def test_a_command_on_an_older_version_is_refused_with_the_fresh_state(command: Command) -> None:
    rollout = _paused()
    decision = command(rollout, T0, replace(ORDER, expected_version=1), seen(rollout), SOUND)
    assert (decision.act, decision.refusal, decision.rollout) == (Act.NOTHING, Refusal.STALE, rollout)
    conflict = decision.conflict()
    assert conflict is not None
    assert conflict.state["version"] == rollout.version


def test_a_command_on_the_present_version_is_carried_out() -> None:
    rollout = at(2)
    order = replace(ORDER, expected_version=rollout.version)
    assert promote(rollout, T0, order, seen(rollout), SOUND).act is Act.PROMOTED


def test_of_two_commands_at_once_the_second_is_refused() -> None:
    rollout = at(1)
    order = replace(ORDER, expected_version=rollout.version)
    first = after(promote(rollout, T0, order, seen(rollout), SOUND))
    assert promote(first, T0, order, seen(first), SOUND).refusal is Refusal.STALE
