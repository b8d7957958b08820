"""`relctl status`: the state of a release, and the reasons why it cannot be deployed."""

from tests.relctl.conftest import Relctl
from tests.relctl.stage import Stage, answer, problem

RELEASE = {
    "release_id": "rel_01jd",
    "manifest_sha256": "3f" * 32,
    "standing": "fail",
    "delivery": "registered",
    "deployable": False,
    "why_not": ["The gate failed on IP licensing.", "No override is active."],
    "changes": [],
    "previous_release": None,
}


def test_standing_delivery_and_every_reason_are_told(stage: Stage, relctl: Relctl) -> None:
    stage.plays("GET /v1/releases/rel_01jd", answer(200, RELEASE))
    ran = relctl("status", "rel_01jd")
    assert ran.code == 0
    assert [line.split(maxsplit=1) for line in ran.out.splitlines()][1:] == [
        ["deployable", "no"],
        ["why", "not            The gate failed on IP licensing."],
        ["why", "not            No override is active."],
        ["standing", "fail"],
        ["delivery", "registered"],
        ["manifest_sha256", "3f" * 32],
    ]


def test_a_release_that_may_go_says_so(stage: Stage, relctl: Relctl) -> None:
    stage.plays("GET /v1/releases/rel_01jd", answer(200, RELEASE | {"deployable": True, "why_not": []}))
    lines = relctl("status", "rel_01jd").out.splitlines()
    assert lines[1].split() == ["deployable", "yes"]


def test_an_id_cannot_leave_its_part_of_the_path(stage: Stage, relctl: Relctl) -> None:
    relctl("status", "../tokens?x=1#y")
    assert stage.asked[0].path == "/v1/releases/..%2Ftokens%3Fx%3D1%23y"


def test_an_unknown_release_exits_1(stage: Stage, relctl: Relctl) -> None:
    stage.plays("GET /v1/releases/rel_x", problem(404, "not_found", "There is no such release."))
    ran = relctl("status", "rel_x")
    assert (ran.code, ran.out) == (1, "")
    assert "There is no such release." in ran.err


def test_control_characters_of_an_answer_never_reach_the_terminal(stage: Stage, relctl: Relctl) -> None:
    evil = "\x1b[2J\n::set-output name=x::y\u202e"
    stage.plays("GET /v1/releases/rel_01jd", answer(200, RELEASE | {"why_not": [evil]}))
    said = relctl("status", "rel_01jd").out
    assert "\\x1b[2J\\n::set-output name=x::y\\u202e" in said
