"""What the bench `chaos` calls damage: a kill of a gateway's worker excuses what only that worker had, nothing more."""

import pytest

from relcontrol.bench.chaos_findings import damages
from relcontrol.bench.chaos_system import Kill
from relcontrol.bench.chaos_traffic import Outcome
from relcontrol.bench.chaos_upstream import fails

FAILING = "f" * 64
AT = 1_000.0


def answered(number: int = 1, ended: float = AT, release: str = "a" * 12) -> Outcome:
    return Outcome(number, ended - 0.03, ended, 200, release, "")


def broken(problem: str, began: float, ended: float) -> Outcome:
    return Outcome(1, began, ended, 0, "", problem)


def refused(number: int, release: str) -> Outcome:
    return Outcome(number, AT - 0.03, AT, 500, release, "status")


def kill(victim: str, at: float = AT) -> Kill:
    return Kill(victim, at)


def test_a_request_with_one_trace_is_well() -> None:
    [damage] = damages([answered()], {"chaos-1": 1}, [kill("edge")], set()).values()
    assert (damage.failed, damage.lost, damage.doubled, damage.cut_off, damage.unsent) == ([], [], [], 0, 0)


def test_an_answered_request_without_a_trace_is_lost_whatever_else_was_killed() -> None:
    found = damages([answered()], {}, [kill("edge"), kill("postgres")], set())
    assert len(found["postgres"].lost) == 1


@pytest.mark.parametrize(("before_s", "lost"), [(0.4, 0), (5.0, 1)])
def test_only_traces_of_the_last_moments_may_go_with_a_worker_of_the_gateway(before_s: float, lost: int) -> None:
    found = damages([answered(ended=AT - before_s)], {}, [kill("gateway")], set())
    assert len(found[""].lost) == lost
    assert [damage.unsent for victim, damage in found.items() if victim == "gateway"] == [1] * (1 - lost)


def test_a_trace_that_came_twice_is_found() -> None:
    [damage] = damages([answered()], {"chaos-1": 2}, [], set()).values()
    assert damage.doubled == ["chaos-1: 2 traces"]


@pytest.mark.parametrize(
    ("victim", "began", "ended", "failed"),
    [
        ("gateway", AT - 0.1, AT + 0.1, 0),
        ("gateway", AT + 2.0, AT + 2.1, 1),
        ("edge", AT - 0.1, AT + 0.1, 1),
        ("postgres", AT - 0.1, AT + 0.1, 1),
    ],
)
def test_a_broken_request_is_excused_only_in_flight_on_a_killed_gateway(
    victim: str, began: float, ended: float, failed: int
) -> None:
    [damage] = damages([broken("ServerDisconnectedError", began, ended)], {}, [kill(victim)], set()).values()
    assert (len(damage.failed), damage.cut_off) == (failed, 1 - failed)


def test_a_timeout_is_never_excused() -> None:
    [damage] = damages([broken("TimeoutError", AT - 0.1, AT + 0.1)], {}, [kill("gateway")], set()).values()
    assert len(damage.failed) == 1


def test_the_refusals_of_a_failing_model_are_evidence_and_those_of_a_healthy_one_are_not() -> None:
    outcomes = [refused(3, FAILING[:12]), refused(4, FAILING[:12]), refused(6, "a" * 12)]
    [damage] = damages(outcomes, {"chaos-3": 1, "chaos-4": 1, "chaos-6": 1}, [], {FAILING}).values()
    assert [said.split(":")[0] for said in damage.failed] == ["chaos-4", "chaos-6"]


def test_damage_counts_for_what_was_killed_last() -> None:
    found = damages(
        [answered(ended=AT + 5)], {}, [kill("web", AT), kill("worker", AT + 4), kill("edge", AT + 9)], set()
    )
    assert len(found["worker"].lost) == 1


@pytest.mark.parametrize(
    ("model", "number", "refuses"), [("failing-2", 3, True), ("failing-2", 4, False), ("steady", 3, False)]
)
def test_a_failing_model_fails_every_third_question(model: str, number: int, *, refuses: bool) -> None:
    assert fails(model, number) is refuses
