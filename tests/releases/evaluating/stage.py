"""An organization whose releases relcontrol evaluates: one server that answers, and one that judges, by the same rule.

An answer says how good it is (`quality=0.4`), and the judge gives that: what a run finds is what a test asked for.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gates.judge_making import create_judge
from gates.run_models import CaseResult, EvaluatedCase, GateRun
from relcontrol.accounts.models import Endpoint
from relcontrol.clock import now
from relcontrol.ticks import work
from releases.models import Release
from tests.gates.runs.stage import SUITE, Row, Stage, cases_of
from tests.gates.runs.stage import stage as bare_stage
from tests.releases.evaluating.servers import Body, ModelServer, Reply, last_of_user

JUDGE = "llm:grader@1"
MODEL = "endpoint:answering/answerer"
SLUG = "ip-licensing"
_QUALITY = re.compile(r"quality=([0-9.]+)")
_QUESTION = re.compile(r"Question (\d+) on ([a-z-]+)\?")
_VERSION = re.compile(r"version (\d+)")


@dataclass
class Evaluated:
    """The stage with its server."""

    stage: Stage
    server: ModelServer

    def register(self, **changes: Any) -> Release:
        """The next release, answered by the server."""
        return self.stage.register(**({"model_ref": MODEL} | changes))

    def ask(self, release: Release, /, **order: Any) -> Any:
        """POST …/gate-runs without results."""
        return self.stage.ci.post(f"releases/{release.pk}/gate-runs", order)

    def asked(self, release: Release, /, **order: Any) -> GateRun:
        """The same, which must be taken."""
        answer = self.ask(release, **order)
        assert answer.status_code == 202, answer.content
        return GateRun.objects.get(pk=answer.json()["gate_run_id"])

    def evaluated(self, release: Release, /, **order: Any) -> Row:
        """The same, done by a worker, as the API shows it then."""
        run = self.asked(release, **order)
        work("gate-run", run.pk)
        return self.shown(run)

    def shown(self, run: GateRun) -> Row:
        """GET /v1/gate-runs/{id}."""
        answer = self.stage.ci.get(f"gate-runs/{run.pk}")
        assert answer.status_code == 200, answer.content
        found: Row = answer.json()
        return found

    def grade(self, shown: Row, grades: Mapping[str, Sequence[float]]) -> None:
        """Somebody grades the very answers of a run, by slice and number of the case."""
        results = CaseResult.objects.filter(run=shown["gate_run_id"])
        rows = [
            {"case_id": case_id, "answer_id": name, "rater": "rater-1", "grade": grades[slug][int(case_id[-4:])]}
            for slug, case_id, name in results.values_list("case__slice__slug", "case__case_id", "answer_id")
        ]
        answer = self.stage.ci.post("ratings", {"suite": SUITE, "ratings": rows})
        assert answer.status_code in {200, 201}, answer.content

    def rows(self, run: GateRun | str) -> list[EvaluatedCase]:
        """The rows of an evaluation, case by case."""
        rows = EvaluatedCase.objects.filter(run=run).select_related("case", "run")
        return list(rows.order_by("case__case_id", "sample"))

    def answer_calls(self) -> list[Body]:
        """What the release's model was asked."""
        return [body for body in self.server.asked if body["model"] == "answerer"]

    def judge_calls(self) -> list[Body]:
        """What the judge's model was asked."""
        return [body for body in self.server.asked if body["model"] == "grader"]


def evaluated(
    server: ModelServer,
    cases: Sequence[Row] | None = None,
    *,
    slices: Mapping[str, Mapping[str, Any]] | None = None,
    judge: Mapping[str, Any] | None = None,
    slug: str = "northgate",
) -> Evaluated:
    """An organization with one judged slice, unless others are given, and a judge that is a model."""
    wanted = slices or {SLUG: {"threshold": "0.65"}}
    stage = bare_stage(wanted, cases_of(SLUG, 4) if cases is None else cases, slug)
    here = equipped(stage, server, judge_fields(**(judge or {})))
    for row in stage.ci.get("slices").json()["results"]:
        if not row["judge"] and row["threshold"] is not None:
            changed = stage.ci.patch(f"slices/{row['slug']}", {"judge": JUDGE})
            assert changed.status_code == 200, changed.content
    return here


def equipped(stage: Stage, server: ModelServer, judge: Mapping[str, Any]) -> Evaluated:
    """The server as two endpoints, one of which a judge asks."""
    for name in ("answering", "judging"):
        Endpoint.objects.create(
            organization=stage.organization,
            name=name,
            base_url=server.url,
            input_price="0.001",
            output_price="0.01",
            created_at=now(),
        )
    create_judge(actor=stage.actor, name=JUDGE, fields=judge)
    return Evaluated(stage, server)


def judge_fields(**changes: Any) -> dict[str, Any]:
    """What makes the judge: one draw from 0 to 1 without chance."""
    return {
        "endpoint": "judging",
        "model": "grader",
        "prompt": {"system": "You grade answers.", "user": "{{ input }}\n{{ answer }}"},
        "draws": 1,
        "aggregation": "mean",
        "scale": ["0", "1"],
        "reference": False,
        "parameters": {"temperature": None, "structured": "json_object"},
    } | changes


def by_rule(quality: Callable[[int, str, int], float]) -> Callable[[Body], Reply | str]:
    """Both models: version `v` of the release answers case `n` of a slice with a quality, which the judge gives it."""

    def rule(body: Body) -> Reply | str:
        if body["model"] == "grader":
            return verdict(body)
        number, slug, version = read(body)
        return f"Version {version} on {slug}-{number:04}: quality={quality(number, slug, version)!r}"

    return rule


def verdict(body: Body) -> str:
    """The judge's reply."""
    found = _QUALITY.search(last_of_user(body))
    return json.dumps({"reason": "As it says.", "score": float(found[1]) if found else 0})


def read(body: Body) -> tuple[int, str, int]:
    """Number and slice of the case, and the version of the prompt that the request was rendered by."""
    asked, version = _QUESTION.search(last_of_user(body)), _VERSION.search(str(body["messages"][0]["content"]))
    assert asked, body
    return int(asked[1]), asked[2], int(version[1]) if version else 0
