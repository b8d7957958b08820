"""`relctl roll`: the plan that is asked for, gateways that are waited for, and every reason why not."""

from tests.relctl.conftest import Relctl
from tests.relctl.stage import Stage, answer, problem

CALL = "POST /v1/releases/rel_1/roll"
STARTED = answer(202, {"rollout_id": "rol_1", "state": "checkpoint", "next_checkpoint_at": "2026-11-24T00:00:00Z"})
NOT_READY = problem(409, "rollout_not_ready", "Not every gateway reports the fingerprint yet: gw-2.")


def test_a_refusal_tells_every_reason(stage: Stage, relctl: Relctl) -> None:
    state = {"standing": "fail", "why_not": ["The gate failed.", "No override is active."]}
    stage.plays(CALL, problem(409, "not_deployable", "It cannot be rolled out.", state=state))
    ran = relctl("roll", "rel_1")
    assert (ran.code, ran.out, ran.pauses) == (1, "", [])
    assert ran.err.splitlines()[1:] == [
        "  now standing: fail",
        "  now why_not: The gate failed.",
        "  now why_not: No override is active.",
    ]


def test_every_flag_becomes_its_field(stage: Stage, relctl: Relctl) -> None:
    stage.plays(CALL, STARTED)
    flags = "--strategy shadow --dwell-5 1 --requests-5 2 --dwell-25 3 --requests-25 4 --dwell-100 5 --requests-100 6"
    ran = relctl("roll", "rel_1", *flags.split(), "--dry-monitors", "latency,quality", "--reason", "Prompt v15")
    assert stage.asked[0].json == {
        "strategy": "shadow",
        "dwell_5pct_seconds": 1,
        "requests_5pct": 2,
        "dwell_25pct_seconds": 3,
        "requests_25pct": 4,
        "dwell_100pct_seconds": 5,
        "requests_100pct": 6,
        "dry_monitors": ["latency", "quality"],
        "reason": "Prompt v15",
    }
    assert (ran.code, ran.out.splitlines()[0]) == (0, "Rollout rol_1")


def test_a_canary_is_asked_for_where_nothing_is_said(stage: Stage, relctl: Relctl) -> None:
    relctl("roll", "rel_1")
    assert stage.asked[0].json == {"strategy": "canary"}


def test_gateways_that_are_not_ready_yet_are_waited_for_with_the_same_key(stage: Stage, relctl: Relctl) -> None:
    stage.plays(CALL, NOT_READY, NOT_READY, STARTED)
    ran = relctl("roll", "rel_1")
    assert (ran.code, ran.pauses) == (0, [2.0, 2.0])
    assert len({asked.headers["Idempotency-Key"] for asked in stage.asked}) == 1
    assert ran.err.count("gw-2") == 1


def test_gateways_that_are_never_ready_are_given_up_after_thirty_seconds(stage: Stage, relctl: Relctl) -> None:
    stage.plays(CALL, NOT_READY)
    ran = relctl("roll", "rel_1")
    assert (ran.code, sum(ran.pauses)) == (1, 30.0)
    assert "gw-2" in ran.err


def test_a_dry_run_says_what_a_start_would_do(stage: Stage, relctl: Relctl) -> None:
    found = {"dry_run": True, "would_start": True, "why_not": [], "checkpoints": []}
    stage.plays(CALL, answer(200, found | {"checkpoints": [{"percent": 5, "dwell_seconds": 600, "requests": 100}]}))
    ran = relctl("roll", "rel_1", "--dry-run")
    assert (ran.code, ran.out.splitlines()[0]) == (0, "A dry run: it would start")
    assert "5 % for 600 s and 100 requests, at least" in ran.out


def test_a_dry_run_that_finds_something_in_the_way_exits_1(stage: Stage, relctl: Relctl) -> None:
    stage.plays(CALL, answer(200, {"dry_run": True, "would_start": False, "why_not": ["It is rolling out already."]}))
    ran = relctl("roll", "rel_1", "--dry-run")
    assert (ran.code, ran.out.splitlines()[0]) == (1, "A dry run: it would not start")
    assert "It is rolling out already." in ran.out
