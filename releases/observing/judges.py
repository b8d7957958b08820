"""By which judge an observer scores a slice, and by which map its scores come to lie on [0, 1]; pinned at its start.

The judge is the one by which canaries are compared: the slice's own, and the default rules where that works elsewhere
or needs a reference. The map is the one that the gate used when that same judge scored the release there, fitted again
from what the gate had; else the judge's own scale is stretched.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from gates.judges import judge_named, scale_of
from gates.models import Judge, Slice
from gates.run_models import GateRun
from gates.runs.gathering import answers_of_run, calibrations, cases_of_suite, grade_scale_of, grades_in
from gates.runs.material import Answer, Grades, by_slice, grades_of, scores_of
from gates.statistics.scales import IsotonicMap, LinearMap, fit_isotonic
from gates.suite_files.cases import Scale
from relcontrol.accounts.models import Organization
from releases.replays.scoring import model_of_slice, rules_of_slice

LINEAR: Final = "linear"
OWN: Final = "own"
CALIBRATION: Final = "calibration"


@dataclass(frozen=True, slots=True)
class PinnedJudge:
    """A judge by name and digest; `map` is what `mapped` reads."""

    name: str
    sha256: str
    map: Mapping[str, Any]


def pinned_judge(organization: Organization, slug: str, run: GateRun | None, at: datetime) -> PinnedJudge:
    """The judge that scores live answers of a slice, with its map; `run` is what decided on the release."""
    judge = _judge(organization, slug)
    fitted = _fitted(run, slug, judge, at) if run else None
    if fitted is not None:
        found: Mapping[str, Any] = {"scores": list(fitted.scores), "levels": list(fitted.levels)}
    else:
        low, high = scale_of(judge)
        found = {"lowest": low, "highest": high}
    return PinnedJudge(judge.name, judge.sha256, found)


def mapped(by: Mapping[str, Any], raw: float) -> float:
    """A judge's score on [0, 1]. `ValueError` for one that lies outside of its scale."""
    chosen = (
        IsotonicMap(tuple(by["scores"]), tuple(by["levels"]))
        if "scores" in by
        else LinearMap(float(by["lowest"]), float(by["highest"]))
    )
    return min(1.0, max(0.0, float(chosen.predict([raw])[0])))


def _judge(organization: Organization, slug: str) -> Judge:
    model = model_of_slice(organization, slug)
    return model or judge_named(organization, rules_of_slice(organization, slug).name)


def _fitted(run: GateRun, slug: str, judge: Judge, at: datetime) -> IsotonicMap | None:
    """The map of the gate, where it had one that was fitted on grades and this judge gave the scores."""
    if run.judges.get(slug) != judge.sha256 or _map_of(run, slug) not in (OWN, CALIBRATION):
        return None
    cases = cases_of_suite(run.suite)
    parents = dict(Slice.objects.filter(organization=run.organization).values_list("slug", "parent__slug"))
    members = by_slice(parents, [slug], cases)[slug]
    if _map_of(run, slug) == CALIBRATION:
        below = {slug: frozenset(case.slice for case in members)}
        earlier = calibrations(run, below, run.finished_at or at).get(slug)
        return _fit(earlier.answers, earlier.scale) if earlier else None
    ids = {case.case_id for case in members}
    answers = [answer for answer in answers_of_run(run, grades_in(run.suite)) if answer.case_id in ids]
    return _fit([answer for answer in answers if answer.grades], grade_scale_of(run))


def _map_of(run: GateRun, slug: str) -> str:
    rows = (run.document or {}).get("slices", ())
    quality = next((row.get("quality") or {} for row in rows if row["slice"] == slug), {})
    return str(quality.get("map", LINEAR))


def _fit(answers: Sequence[Answer], scale: Scale | None) -> IsotonicMap | None:
    if scale is None or all(answer.score is None for answer in answers):
        return None
    grades: Grades = grades_of(answers)
    return fit_isotonic(scores_of(answers), (grades.levels - scale[0]) / (scale[1] - scale[0]))
