"""Real judges on real human grades, from the upload to the verdict, by the API: the reason why slices decide."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from relcontrol.ticks import work
from releases.models import Release
from tests.gates.pure.shared_files import cases, expected
from tests.gates.runs.stage import Row, Stage, bare
from tests.gates.scene import lines, post_suite

pytestmark = pytest.mark.django_db

THRESHOLD = 0.5
PUBLISHED = {
    "restaurant-naturalness": 0.333399,
    "restaurant-informativeness": 0.224918,
    "restaurant-overall": 0.291593,
    "hotel-naturalness": 0.319813,
    "hotel-informativeness": 0.249329,
    "hotel-overall": 0.320721,
}


def slug_of(row: Mapping[str, Any]) -> str:
    """A slice of the data set as a slug."""
    return str(row["slice"]).replace("/", "-")


def answer_of(row: Mapping[str, Any]) -> Row:
    """The graded answer; its text where the data set has it."""
    text = {"output": row["output"]} if "output" in row else {}
    return {"answer_id": f"{row['system']}-answer", "human_scores": row["human_scores"], **text}


def case_of(row: Mapping[str, Any]) -> Row:
    """A row of the data set as a case of a suite; summaries of one article are one cluster."""
    case = {
        "case_id": row["case_id"],
        "slice": slug_of(row),
        "input": row.get("input") or row["input_id"],
        "answers": [answer_of(row)],
    }
    return case | ({"cluster_id": row["input_id"]} if "input_id" in row else {})


def results_by(judge: str, rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    """The scores of one judge for those same answers."""
    return [
        {
            "case_id": row["case_id"],
            "answer_id": answer_of(row)["answer_id"],
            "score": row["judge_scores"].get(judge),
        }
        for row in rows
    ]


@dataclass
class Judged:
    """An organization with one data set as its suite, and the one release that is judged on it."""

    stage: Stage
    rows: Sequence[Mapping[str, Any]]
    release: Release

    def by(self, judge: str, scale: tuple[float, float] = (0.0, 1.0)) -> Row:
        """The verdict when this judge scores; large runs are left to a worker, as in life."""
        name = f"external:{judge}@1"
        sent = {"judge": name, "scale": list(scale), "parity": self.release.bundle_sha256}
        path = f"releases/{self.release.pk}/gate-runs"
        answer = self.stage.ci.post(path, {**sent, "results": results_by(judge, self.rows)})
        assert answer.status_code == 202, answer.content
        work("gate-run", answer.json()["gate_run_id"])
        document: Row = self.stage.ci.get(f"gate-runs/{answer.json()['gate_run_id']}").json()
        assert document["state"] == "done", document["problem"]
        return document


def judged_on(dataset: str, grade_scale: str) -> Judged:
    """Slices at 0.5 and the data set as a suite with its grades, all by the API; then one release."""
    rows = cases(dataset)
    here = bare()
    for slug in sorted({slug_of(row) for row in rows}):
        body = {"slug": slug, "name": slug, "threshold": THRESHOLD, "quality_floor": 0.1}
        assert here.ci.post("slices", body).status_code == 201
    made = post_suite(here.ci, lines([case_of(row) for row in rows]), name=dataset, grade_scale=grade_scale)
    assert made.status_code == 201, made.content
    assert made.json()["graded_answers"] == len(rows)
    return Judged(here, rows, here.register(dataset_version=dataset))


def rhos(document: Row) -> dict[str, float]:
    """Agreement by slice."""
    return {each["slice"]: each["agreement"]["rho"] for each in document["slices"]}


def known(dataset: str, judge: str) -> dict[str, float]:
    """The agreement that scipy found."""
    slices = expected(dataset)["slices"]
    return {name.replace("/", "-"): found["judges"][judge]["rho"] for name, found in slices.items()}


def test_three_judges_pass_pooled_and_fail_both_sources_of_frank() -> None:
    frank = judged_on("frank", "0,1")
    for judge in ("FactCC", "QAGS", "FEQA"):
        document = frank.by(judge)
        pooled = expected("frank")["aggregate"][judge]
        assert document["aggregate"]["rho"] == pytest.approx(pooled["pooled_rho"], abs=1e-6)
        assert document["aggregate"]["rho"] >= THRESHOLD
        assert document["aggregate"]["n"] == pooled["n"]
        assert rhos(document) == pytest.approx(known("frank", judge), abs=1e-6)
        assert [each["agreement"]["verdict"] for each in document["slices"]] == ["fail", "fail"]
        assert {each["agreement"]["source"] for each in document["slices"]} == {"own"}
        assert document["verdict"] == "gate_fail"
    assert frank.stage.events().count("gate.failed") == 3
    assert frank.stage.last_statement()["event"] == "gate.failed"


def test_the_published_rows_of_sfres_and_sfhot_come_out_to_six_decimals() -> None:
    document = judged_on("d2t", "1,6").by("unieval")
    assert {slug: round(rho, 6) for slug, rho in rhos(document).items()} == PUBLISHED


def test_a_crowd_that_knows_nothing_fails_in_every_dimension() -> None:
    document = judged_on("summeval_panel30", "1,5").by("crowd_mean", (1.0, 5.0))
    assert {each["slice"]: each["agreement"]["verdict"] for each in document["slices"]} == dict.fromkeys(
        ("coherence", "consistency", "fluency", "relevance"), "fail"
    )
    assert rhos(document) == pytest.approx(known("summeval_panel30", "crowd_mean"), abs=1e-6)
    assert document["verdict"] == "gate_fail"
