"""A suite whose answers experts graded, judges to measure on it, and what became of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from gates.calibrations.requesting import carry_out, request_calibration
from gates.calibrations.selectors import calibration_named
from gates.calibrations.working import calibrate_judge
from gates.judge_models import Calibration, CalibrationRun
from gates.judges import judge_for, judge_named
from gates.models import Judge, Slice, Suite, SuiteImport
from gates.suites import carry_out as import_now
from gates.suites import request_import, suite_named
from relcontrol.jobs.running import run as run_job
from relcontrol.rehearsal.samples import Graded, graded
from tests.gates.runs.stage import SUITE, Row, Stage, stage

JUDGE = "external:legal-judge@9"
SLICE = "ip-licensing"
THREE = ("anna", "bruno", "clara")
COUNT = 60


@dataclass
class Bench:
    """The stage with its graded answers: the scores that agree with them are `parts[slug].scores`."""

    stage: Stage
    parts: Mapping[str, Graded]

    @property
    def suite(self) -> Suite:
        """The suite that is graded."""
        return suite_named(self.stage.organization, SUITE)

    def judge(self, name: str = JUDGE) -> Judge:
        """A judge of this name, made if it is external and new."""
        return judge_for(actor=self.stage.actor, name=name, scale=None)

    def slice(self, slug: str = SLICE) -> Slice:
        """A slice by its slug."""
        return Slice.objects.get(organization=self.stage.organization, slug=slug)

    def scores(self, **parts: Graded) -> list[Row]:
        """The score of every graded answer; other scores than the usual ones for the slices that are named."""
        return [
            {"case_id": f"{slug}-{place:04}", "answer_id": f"{slug}-{place:04}-a", "score": score}
            for slug, part in {**self.parts, **{key.replace("_", "-"): part for key, part in parts.items()}}.items()
            for place, score in enumerate(part.scores)
        ]

    def another_suite(self, name: str, part: Graded, slug: str = SLICE) -> Suite:
        """A second suite of one slice, graded by the same experts."""
        lines = "\n".join(json.dumps(case) for case in _cases(slug, part, THREE, 0.02)).encode()
        job = request_import(actor=self.stage.actor, name=name, body=lines, file_format="jsonl", scale=(1.0, 5.0))
        return finished(import_now(job))

    def measured(
        self, scores: Sequence[Row] | None = None, judge: str = JUDGE, suite: Suite | None = None, **order: Any
    ) -> CalibrationRun:
        """A calibration from sent scores, which is over."""
        run = request_calibration(
            actor=self.stage.actor,
            judge=self.judge(judge),
            suite=suite or self.suite,
            scores=self.scores() if scores is None else scores,
            **order,
        )
        done = carry_out(run)
        assert done.state == "done", done.problem
        return done

    def again(self, run: CalibrationRun) -> CalibrationRun:
        """The run as it is now."""
        return calibration_named(self.stage.organization, run.pk)


def bench(
    slices: Mapping[str, Graded] | None = None,
    *,
    raters: Sequence[str] = THREE,
    noise: float = 0.02,
    threshold: str = "0.65",
    parents: Mapping[str, str] | None = None,
    grade_scale: bool = True,
    **fields: Any,
) -> Bench:
    """One graded answer for each case of each slice; experts see them almost alike."""
    parts = dict(slices or {SLICE: graded(COUNT, 0.85)})
    tree = parents or {}
    rules: dict[str, dict[str, Any]] = {slug: {} for slug in tree.values() if slug not in parts}
    rules |= {slug: {"parent": tree.get(slug)} for slug in parts}
    cases = [case for slug, part in parts.items() for case in _cases(slug, part, raters, noise)]
    here = stage(
        {slug: {"threshold": threshold, "quality_floor": "0.2"} | own | fields for slug, own in rules.items()},
        cases,
        **({"grade_scale": "yes"} if grade_scale else {}),
    )
    return Bench(here, parts)


def _cases(slug: str, part: Graded, raters: Sequence[str], noise: float) -> list[Row]:
    return [
        {
            "case_id": f"{slug}-{place:04}",
            "slice": slug,
            "input": f"Question {place} on {slug}?",
            "answers": [
                {
                    "answer_id": f"{slug}-{place:04}-a",
                    "output": f"Answer {place} on {slug}.",
                    "human_scores": [
                        round(1 + 4 * grade + 4 * noise * ((place + number) % 2), 6) for number, _ in enumerate(raters)
                    ],
                    "raters": list(raters),
                }
            ],
        }
        for place, grade in enumerate(part.grades)
    ]


def work(here: Bench, run: CalibrationRun) -> CalibrationRun:
    """A worker takes the job."""
    assert run_job(CalibrationRun.objects.filter(pk=run.pk), calibrate_judge)
    return here.again(run)


def finished(job: SuiteImport) -> Suite:
    """The suite that an import made."""
    assert job.suite, job.problem
    return job.suite


def of_slice(run: CalibrationRun, slug: str = SLICE) -> Calibration:
    """What a run found in one slice."""
    return run.calibrations.get(slice__slug=slug)


def older(run: CalibrationRun, days: float) -> None:
    """Move what was measured so many days into the past."""
    by = timedelta(days=days)
    for row in run.calibrations.all():
        row.measured_at, row.valid_until = row.measured_at - by, row.valid_until - by
        row.save(update_fields=["measured_at", "valid_until"])


def named(here: Bench, name: str) -> Judge:
    """A judge that is there."""
    return judge_named(here.stage.organization, name)


def as_json(value: Any) -> Any:
    """A value as an answer of the API shows it."""
    return json.loads(json.dumps(value, default=str))
