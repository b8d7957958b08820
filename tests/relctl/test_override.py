"""`relctl override`: both structural flags or nothing, and no command that approves."""

from typing import Any

import pytest

from tests.relctl.conftest import Relctl
from tests.relctl.stage import Stage, answer, problem

CALL = "POST /v1/releases/rel_1/override"
FLAGS = ("override", "rel_1", "--force-gate-override", "--override-reason", "The judge misreads tables.")
OVERRIDE: dict[str, Any] = {
    "override_id": "ovr_1",
    "state": "pending_approval",
    "gate_override_sha256": "0e" * 32,
    "requested_by": "token ci",
    "expires_at": "2026-11-24T00:00:00Z",
    "slices": ["ip-licensing"],
}


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        (FLAGS[:2], "add --force-gate-override and --override-reason."),
        (FLAGS[:3], "add --override-reason."),
        ((*FLAGS[:2], *FLAGS[3:]), "add --force-gate-override."),
    ],
)
def test_a_missing_flag_is_named_and_nothing_is_asked(
    stage: Stage, relctl: Relctl, words: tuple[str, ...], missing: str
) -> None:
    ran = relctl(*words)
    assert (ran.code, stage.asked) == (2, [])
    assert missing in ran.err


def test_the_force_flag_takes_no_value(stage: Stage, relctl: Relctl) -> None:
    assert relctl("override", "rel_1", "--force-gate-override=true", *FLAGS[3:]).code == 2
    assert stage.asked == []


def test_one_that_waits_exits_3_and_says_who_must_approve(stage: Stage, relctl: Relctl) -> None:
    stage.plays(CALL, answer(201, OVERRIDE))
    ran = relctl(*FLAGS)
    assert ran.code == 3
    assert [" ".join(line.split()) for line in ran.out.splitlines()] == [
        "Override ovr_1",
        "state pending_approval",
        f"gate_override_sha256 {'0e' * 32}",
        "requested_by token ci",
        "expires_at 2026-11-24T00:00:00Z",
        "covers ip-licensing",
        "must approve a release manager other than the requester, in the browser or by her own token",
    ]
    assert stage.asked[0].json == {"forceGateOverride": True, "overrideReason": FLAGS[-1]}


def test_an_active_one_exits_0(stage: Stage, relctl: Relctl) -> None:
    stage.plays(CALL, answer(201, OVERRIDE | {"state": "active"}))
    ran = relctl(*FLAGS)
    assert ran.code == 0
    assert "must approve" not in ran.out


def test_every_flag_becomes_its_field(stage: Stage, relctl: Relctl) -> None:
    stage.plays(CALL, answer(201, OVERRIDE))
    relctl(*FLAGS, "--slices", "a,b", "--accept", "a=0.61", "--accept", "b=0.7", "--expires-in", "3600")
    assert stage.asked[0].json == {
        "forceGateOverride": True,
        "overrideReason": FLAGS[-1],
        "slices": ["a", "b"],
        "accepted_levels": {"a": "0.61", "b": "0.7"},
        "expires_in_seconds": 3600,
    }


def test_what_the_server_refuses_is_told_by_field(stage: Stage, relctl: Relctl) -> None:
    wrong = [{"field": "overrideReason", "message": "Say more."}]
    stage.plays(CALL, problem(422, "invalid", "It says too little.", errors=wrong))
    ran = relctl(*FLAGS)
    assert ran.code == 1
    assert "  overrideReason: Say more." in ran.err


def test_there_is_no_command_that_approves_and_help_says_who_does(relctl: Relctl) -> None:
    assert relctl("approve", "ovr_1").code == 2
    said = " ".join(relctl("override", "--help").out.split())
    assert "There is no command to approve it: another release manager does that" in said
