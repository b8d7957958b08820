"""`relctl lineage` and `relctl serving`: what made an answer, and what served at a time."""

from typing import Any

import pytest

from tests.relctl.conftest import Relctl
from tests.relctl.stage import Stage, answer, problem

RECEIPT = "ab" * 32
APPROVED = [{"name": "Mara Lindqvist", "did": "started its rollout", "receipt": RECEIPT}]
LINEAGE: dict[str, Any] = {
    "request_id": "req-1",
    "trace": {},
    "served": {
        "release": "r12",
        "manifest_sha256": "3f" * 32,
        "weights": "not claimed",
        "commit": None,
        "components": [
            {"title": "prompt template", "ref": "templates/legal-qa@v15", "digest": "sha256:1", "value": None},
            {"title": "model", "ref": None, "digest": None, "value": {"ref": "hf:org/repo@1"}},
        ],
        "gate_run": {"gate_run_id": "grn_1", "verdict": "gate_pass"},
    },
    "fingerprints": {"verdict": "same", "sentence": "What was judged is what answered."},
    "features": [{"verdict": "in_time", "sentence": "plan was 3 s old."}],
    "last_known_good": {"release": "r11", "changes": [{"component": "model"}]},
    "approved_by": APPROVED,
    "receipts": [{"receipt": RECEIPT, "event": "rollout.started"}],
    "problems": [],
}
SERVING: dict[str, Any] = {
    "at": "2026-03-15T14:03:00.000000Z",
    "serving": {"release": "r12", "manifest_sha256": "3f" * 32, "since": "2026-03-01T00:00:00Z", "until": None},
    "approved_by": APPROVED,
    "receipts": [{"receipt": RECEIPT, "event": "rollout.completed"}],
    "verified": True,
    "problems": [],
}


def test_what_made_an_answer_is_told(stage: Stage, relctl: Relctl) -> None:
    stage.plays("GET /v1/lineage/req-1", answer(200, LINEAGE))
    ran = relctl("lineage", "req-1")
    assert ran.code == 0
    lines = [" ".join(line.split()) for line in ran.out.splitlines()]
    assert lines[0] == "Request req-1: r12"
    for said in (
        "prompt template templates/legal-qa@v15",
        'model {"ref": "hf:org/repo@1"}',
        "gate_run_id grn_1",
        "approved by Mara Lindqvist started its rollout",
        "last good release r11",
        "differs in model",
        f"receipt {RECEIPT}",
    ):
        assert said in lines


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"problems": ["Receipt #3 does not verify."]}, "Receipt #3 does not verify."),
        ({"features": [{"verdict": "future", "sentence": "plan is from the future."}]}, "plan is from the future."),
        ({"features": [{"verdict": "stale", "sentence": "plan is stale."}]}, "plan is stale."),
        ({"fingerprints": {"verdict": "other", "sentence": "Not what was judged."}}, "Not what was judged."),
    ],
)
def test_what_is_wrong_with_an_answer_comes_first_and_exits_1(
    stage: Stage, relctl: Relctl, changes: dict[str, Any], said: str
) -> None:
    stage.plays("GET /v1/lineage/req-1", answer(200, LINEAGE | changes))
    ran = relctl("lineage", "req-1")
    assert ran.code == 1
    assert ran.out.splitlines()[1].split(maxsplit=1) == ["wrong", said]


def test_a_request_id_cannot_leave_its_part_of_the_path(stage: Stage, relctl: Relctl) -> None:
    relctl("lineage", "../tokens?x=1")
    assert stage.asked[0].path == "/v1/lineage/..%2Ftokens%3Fx%3D1"


def test_what_served_at_a_time_is_told_with_who_approved_it(stage: Stage, relctl: Relctl) -> None:
    stage.plays("GET /v1/routes/rte_1/serving", answer(200, SERVING))
    ran = relctl("serving", "rte_1", "--at", "2026-03-15T14:03:00Z")
    assert (ran.code, ran.out.splitlines()[0]) == (0, "At 2026-03-15T14:03:00.000000Z it served r12")
    assert stage.asked[0].path == "/v1/routes/rte_1/serving?at=2026-03-15T14%3A03%3A00Z"
    assert "Mara Lindqvist started its rollout" in ran.out
    assert RECEIPT in ran.out


def test_a_receipt_that_does_not_verify_exits_1_and_nothing_served_exits_3(stage: Stage, relctl: Relctl) -> None:
    stage.plays(
        "GET /v1/routes/rte_1/serving",
        answer(200, SERVING | {"verified": False, "problems": ["Receipt #9 does not verify."]}),
        answer(200, SERVING | {"serving": None, "approved_by": []}),
        problem(404, "not_found", "There is no such route."),
    )
    first = relctl("serving", "rte_1")
    assert (first.code, "Receipt #9 does not verify." in first.out) == (1, True)
    second = relctl("serving", "rte_1")
    assert (second.code, "served nothing" in second.out) == (3, True)
    assert relctl("serving", "rte_1").code == 1
