"""`relctl roll`: the plan that is asked for, and every reason why not."""

from tests.relctl.conftest import Relctl
from tests.relctl.stage import Stage, answer, problem

CALL = "POST /v1/releases/rel_1/roll"


def test_a_refusal_tells_every_reason(stage: Stage, relctl: Relctl) -> None:
    state = {"standing": "fail", "why_not": ["The gate failed.", "No override is active."]}
    stage.plays(CALL, problem(409, "not_deployable", "It cannot be rolled out.", state=state))
    ran = relctl("roll", "rel_1")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.splitlines()[1:] == [
        "  now standing: fail",
        "  now why_not: The gate failed.",
        "  now why_not: No override is active.",
    ]


def test_every_flag_becomes_its_field(stage: Stage, relctl: Relctl) -> None:
    stage.plays(CALL, answer(202, {"rollout_id": "rol_1", "next_checkpoint_at": "2026-11-24T00:00:00Z"}))
    flags = "--strategy shadow --dwell-5 1 --requests-5 2 --dwell-25 3 --requests-25 4 --dwell-100 5 --requests-100 6"
    ran = relctl("roll", "rel_1", *flags.split(), "--dry-run", "--reason", "Prompt v15")
    assert stage.asked[0].json == {
        "strategy": "shadow",
        "dwell_5pct_seconds": 1,
        "requests_5pct": 2,
        "dwell_25pct_seconds": 3,
        "requests_25pct": 4,
        "dwell_100pct_seconds": 5,
        "requests_100pct": 6,
        "dry_run": True,
        "reason": "Prompt v15",
    }
    assert (ran.code, ran.out.splitlines()[0]) == (0, "Rollout rol_1")


def test_a_canary_is_asked_for_where_nothing_is_said(stage: Stage, relctl: Relctl) -> None:
    relctl("roll", "rel_1")
    assert stage.asked[0].json == {"strategy": "canary"}
