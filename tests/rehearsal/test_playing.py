"""What a rehearsal says of what it has acted out, and when it says that something was not stopped."""

import threading
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from relcontrol.rehearsal.catalogue import BY_NUMBER, FAILURES, HEALTHY
from relcontrol.rehearsal.lines import Line
from relcontrol.rehearsal.running import playing
from relcontrol.rehearsal.running.playing import SIDE_BY_SIDE, Played, summary, table
from relcontrol.rehearsal.stopping import GATE, ROLL, STAGES, UNTOUCHED, Scenario, Stopped
from relcontrol.rehearsal.world import Crowd, NotStoppedError, Reply, World, expect, must

STOPPED = Stopped(GATE, "a judge that is lost", "IP licensing: 0.41", 1.5, "gate.failed", "ab" * 32)


@dataclass
class Asks:
    """The users of a world that is never asked."""

    crowd: Crowd | None = field(default_factory=lambda: Crowd({}))


@dataclass
class Nowhere:
    """A world with nothing in it but users."""

    asks: Asks = field(default_factory=Asks)


def played(scenario: Scenario, stage: str = "") -> Played:
    """One that ended as it must, or at another stage."""
    return Played(scenario, replace(STOPPED, stage=stage or scenario.stage), "", 2.0)


def test_the_ten_are_numbered_from_1_to_10_and_each_has_its_stage() -> None:
    assert [scenario.number for scenario in FAILURES] == list(range(1, 11))
    assert {scenario.stage for scenario in FAILURES} == set(STAGES)
    assert sorted(number for lane in SIDE_BY_SIDE for number in lane) == sorted(BY_NUMBER)


def test_ten_of_ten_and_the_healthy_one_are_counted() -> None:
    everything = [played(scenario) for scenario in (*FAILURES, HEALTHY)]
    assert summary(everything) == "10 of 10 stopped at their stage; the healthy release was untouched"
    assert summary(everything[:3]) == "3 of 3 stopped at their stage"


def test_what_is_stopped_at_another_stage_is_not_well() -> None:
    late = played(FAILURES[3], ROLL)
    assert not late.is_well
    assert summary([late]) == "0 of 1 stopped at their stage"


def test_a_healthy_release_that_was_taken_back_later_is_not_well() -> None:
    assert played(HEALTHY).is_healthy
    taken = replace(played(HEALTHY), problem="the healthy release was taken back: None")
    assert not taken.is_well
    assert "NOT left alone" in summary([taken])


def test_the_table_has_a_line_for_each_with_stage_time_and_receipt() -> None:
    head, fourth, lost = table([played(FAILURES[3]), Played(FAILURES[8], None, "not within 0:02:00", 120.0)])
    assert head.split() == ["#", "failure", "must", "stop", "stopped", "at", "after", "receipt"]
    assert fourth.split()[:5] == ["4", "IP-licensing", "collapse", "Gate", "Gate"]
    assert fourth.split()[5:] == ["1.50", "s", "abababababab", "gate.failed"]
    assert lost.split() == ["9", "silent", "hedging", "Observe", "not", "stopped"]


@pytest.mark.parametrize("error", [NotStoppedError("201 came"), OSError("connection refused"), KeyError("slices")])
def test_whatever_goes_wrong_in_a_story_is_said_and_nobody_asks_any_more(error: Exception) -> None:
    def play(world: World) -> Stopped:
        raise error

    world: Any = Nowhere()
    said: list[str] = []
    found = playing._play(Scenario(1, "three changes", GATE, play), world, said.append, threading.Lock())
    assert (found.is_well, world.asks.crowd) == (False, None)
    assert said[0].startswith("#1 three changes: NOT as it must be")
    assert str(error) in said[1]


def test_what_stopped_a_failure_is_told_with_time_and_receipt() -> None:
    world: Any = Nowhere()
    said: list[str] = []
    playing._play(Scenario(4, "IP licensing", GATE, lambda _: STOPPED), world, said.append, threading.Lock())
    assert said[0] == "#4 IP licensing: Gate"
    assert said[-1] == f"    receipt  {STOPPED.receipt} gate.failed"


def test_a_healthy_release_goes_on_being_asked_while_the_others_fail() -> None:
    world: Any = Nowhere()
    come_through = replace(HEALTHY, play=lambda _: replace(STOPPED, stage=UNTOUCHED))
    assert playing._play(come_through, world, lambda _: None, threading.Lock()).is_healthy
    assert world.asks.crowd is not None


def test_a_reply_that_was_not_expected_is_a_failure_that_went_on() -> None:
    assert expect(Reply(422, {"code": "several_changes"}), 422, "several_changes").code == "several_changes"
    with pytest.raises(NotStoppedError, match="422 several_changes was expected, and 201  came"):
        expect(Reply(201, {"release_id": "rel_1"}), 422, "several_changes")
    with pytest.raises(NotStoppedError, match="another code"):
        expect(Reply(422, {"code": "other", "detail": "another code"}), 422, "several_changes")
    with pytest.raises(NotStoppedError, match="the receipt is missing"):
        must([], "the receipt is missing")


def test_a_quick_rollout_that_waits_for_slow_users_goes_on_and_any_other_has_not_come_through() -> None:
    states, sent = ["waiting_review", "waiting_review", "completed"], []
    row = {"reasons": ["19 requests are missing."]}

    class Slow(Nowhere):
        def get(self, who: str, path: str, **query: str) -> Reply:
            return Reply(200, row | {"state": states[0]})

        def post(self, who: str, path: str, body: Any = None) -> Reply:
            sent.append(path)
            return Reply(200, states.pop(0))

        def until(self, what: str, condition: Any, within: Any) -> Any:
            return next(found for _ in range(9) if (found := condition()))

    world: Any = Slow()
    line = Line(world, "slice", "model", quick={"rol_1"})
    assert line.come_through("rol_1")["state"] == "completed"
    assert sent == ["rollouts/rol_1/resume"] * 2
    states[0] = "waiting_review"
    with pytest.raises(NotStoppedError, match=r"waits for a person: 19 requests are missing\.$"):
        line.come_through("rol_2")
