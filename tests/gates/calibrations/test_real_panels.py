"""A real panel of three experts: a crowd that knows nothing is refused on every slice, in words."""

from typing import Any

import pytest

from gates.slices.services import create_slice
from relcontrol.accounts.actors import command_actor
from tests.factories import Api, api, organization, service_token
from tests.gates.pure.shared_files import cases, expected
from tests.gates.scene import lines, post_suite

pytestmark = pytest.mark.django_db

PANEL = "summeval_panel30"
JUDGES = ("crowd_mean", "crowd_1")


def uploaded() -> tuple[Api, list[dict[str, Any]]]:
    """The panel as a suite; each answer's raters are named as the experts that they are."""

    owner, rows = organization("northgate"), cases(PANEL)
    for slug in sorted({row["slice"] for row in rows}):
        create_slice(actor=command_actor(owner), slug=slug)
    client = api(service_token(owner, "gates:write"))
    suite = [
        {
            "case_id": row["case_id"],
            "slice": row["slice"],
            "input": row["input_id"],
            "cluster_id": row["input_id"],
            "answers": [
                {
                    "answer_id": row["system"],
                    "human_scores": row["human_scores"],
                    "raters": ["expert-1", "expert-2", "expert-3"],
                }
            ],
        }
        for row in rows
    ]
    assert post_suite(client, lines(suite), name="panel", grade_scale="1,5").status_code == 201
    return client, rows


def test_both_crowds_are_refused_on_every_slice_in_words() -> None:
    client, rows = uploaded()
    known = expected(PANEL)["slices"]
    for judge in JUDGES:
        name = f"external:{judge}@1"
        assert client.post("judges", {"name": name, "scale": [1, 5]}).status_code == 201
        scores = [
            {"case_id": row["case_id"], "answer_id": row["system"], "score": row["judge_scores"][judge]} for row in rows
        ]
        answer = client.post(f"judges/{name}/calibrations", {"suite": "panel", "scores": scores})
        assert answer.status_code == 201, answer.content
        slices = {each["slice"]: each for each in answer.json()["slices"]}
        assert set(slices) == set(known)
        for slug, found in slices.items():
            assert (found["outcome"], found["holds"]) in {("fail", False), ("insufficient", False)}
            refused = "below the threshold of 0.65", "too noisy to calibrate any judge here"
            assert any(words in found["reasons"][0] for words in refused), found["reasons"]
            assert found["alpha"] == pytest.approx(known[slug]["reliability"]["alpha_ordinal"], abs=5e-5)
            assert (found["raters"], found["n"]) == (3, 360)
