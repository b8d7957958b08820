"""`relctl pause`, `resume`, `promote`, `halt`, `rollback`: each with its reason, refusals with the fresh state."""

import pytest

from tests.relctl.conftest import Relctl
from tests.relctl.stage import Stage, answer, problem

WHY = "I read fifty answers."
ROLLOUT = {"rollout_id": "rol_1", "state": "paused", "checkpoint": 1, "percent": 5.0, "version": 2, "reasons": [WHY]}
ROLLBACK = {
    "rollback_id": "rbk_1",
    "rehearsed": False,
    "left": "c" * 64,
    "target": "5" * 64,
    "generation": 43,
    "findings": [],
    "receipt": "a" * 64,
}


@pytest.mark.parametrize("order", ["pause", "resume", "promote", "halt"])
def test_an_order_goes_to_its_address_with_reason_and_version(stage: Stage, relctl: Relctl, order: str) -> None:
    stage.plays(f"POST /v1/rollouts/rol_1/{order}", answer(200, ROLLOUT))
    ran = relctl(order, "rol_1", "--reason", WHY, "--expected-version", 1)
    assert stage.asked[0].json == {"reason": WHY, "expected_version": 1}
    assert (ran.code, ran.out.splitlines()[0]) == (0, "Rollout rol_1: paused")


@pytest.mark.parametrize("order", ["pause", "resume", "promote", "halt", "rollback"])
def test_nobody_orders_without_a_reason(stage: Stage, relctl: Relctl, order: str) -> None:
    ran = relctl(order, "x_1")
    assert (ran.code, stage.asked) == (2, [])
    assert "--reason" in ran.err


def test_an_order_that_was_overtaken_tells_the_fresh_state(stage: Stage, relctl: Relctl) -> None:
    detail = "Errors: evidence 520 (this rollout breaches at 480)."
    refusal = problem(409, "rollout_overtaken", detail, state={"state": "halted", "version": 3})
    stage.plays("POST /v1/rollouts/rol_1/promote", refusal)
    ran = relctl("promote", "rol_1", "--reason", WHY)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.splitlines()[1:] == ["  now state: halted", "  now version: 3"]


def test_a_rollback_says_where_it_went(stage: Stage, relctl: Relctl) -> None:
    stage.plays("POST /v1/routes/rte_1/rollback", answer(202, ROLLBACK))
    ran = relctl("rollback", "rte_1", "--reason", WHY, "--to", "r12")
    assert stage.asked[0].json == {"reason": WHY, "to": "r12"}
    assert (ran.code, ran.out.splitlines()[0]) == (0, f"Rolled back to {'5' * 64}")


def test_a_rollback_to_nothing_says_that_the_route_answers_no_more(stage: Stage, relctl: Relctl) -> None:
    stage.plays("POST /v1/routes/rte_1/rollback", answer(202, ROLLBACK | {"target": None}))
    assert "answers 503" in relctl("rollback", "rte_1", "--reason", WHY).out.splitlines()[0]


WORDS = ("triggered", "decided", "committed", "acknowledged", "drained")


def come(*through: float, reconciled: bool) -> dict[str, object]:
    """The route, whose last rollback has come so far."""
    times = [*through, *[None] * (len(WORDS) - len(through))]
    timeline = [
        {"word": word, "at": None if at is None else "2026-11-22T12:00:00Z", "seconds_since_trigger": at, "said": "."}
        for word, at in zip(WORDS, times, strict=True)
    ]
    end = {"timeline": timeline, "reconciled_receipt": "b" * 64 if reconciled else None}
    return {"route_id": "rte_1", "last_rollback": ROLLBACK | end}


def test_a_rollback_is_followed_until_the_last_gateway_has_drained(stage: Stage, relctl: Relctl) -> None:
    stage.plays("POST /v1/routes/rte_1/rollback", answer(202, ROLLBACK))
    steps = [come(0, 181.2, 181.3, reconciled=False), come(0, 181.2, 181.3, 181.5, 190.04, reconciled=True)]
    stage.plays("GET /v1/routes/rte_1", *[answer(200, each) for each in steps])
    ran = relctl("rollback", "rte_1", "--reason", WHY, "--wait")
    assert ran.code == 0
    assert "every gateway has it" in ran.out.splitlines()[0]
    assert "after 190.0 s" in ran.out
    assert "b" * 64 in ran.out


def test_one_that_did_not_come_through_everywhere_ends_with_3(stage: Stage, relctl: Relctl) -> None:
    stage.plays("POST /v1/routes/rte_1/rollback", answer(202, ROLLBACK))
    stage.plays("GET /v1/routes/rte_1", answer(200, come(0, 1, 1, reconciled=True)))
    ran = relctl("rollback", "rte_1", "--reason", WHY, "--wait")
    assert ran.code == 3
    assert "not known of every gateway" in ran.out.splitlines()[0]
    assert ran.out.count("not yet") == 2


@pytest.mark.parametrize(("findings", "code"), [([], 0), (["Gateway gw-2 does not have r12 ready."], 1)])
def test_a_rehearsal_ends_by_what_it_found(stage: Stage, relctl: Relctl, findings: list[str], code: int) -> None:
    stage.plays("POST /v1/routes/rte_1/rollback", answer(202, ROLLBACK | {"rehearsed": True, "findings": findings}))
    ran = relctl("rollback", "rte_1", "--reason", WHY, "--rehearse")
    assert stage.asked[0].json == {"reason": WHY, "rehearse": True}
    assert (ran.code, ran.out.count("does not have r12 ready")) == (code, len(findings))


def test_an_order_cannot_leave_its_part_of_the_path(stage: Stage, relctl: Relctl) -> None:
    relctl("halt", "../tokens?x=1", "--reason", WHY)
    assert stage.asked[0].path == "/v1/rollouts/..%2Ftokens%3Fx%3D1/halt"
