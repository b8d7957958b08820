"""Deciding a run: its material gathered, judged by the pinned rules, and put into its document.

Reads only; what it returns is written by `gates.runs.recording` under the job's fence.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from gates.evaluating.progress import timed_unlike
from gates.models import Slice
from gates.policies.definition import Definition, definition_from
from gates.reviews.allowlist import active_cases
from gates.run_models import GateRun, SliceResult
from gates.runs import conditions
from gates.runs.digests import gate_run_digest, results_digest, without_floats
from gates.runs.document import own_threshold_sentence, run_document
from gates.runs.gathering import (
    Grades,
    answers_of_run,
    calibrations,
    cases_of_suite,
    comparable_run,
    digest_of_grades,
    grade_scale_of,
    grades_in,
    measurements,
    measurements_of_run,
    uncalibrated,
)
from gates.runs.judging import CaseRule, SliceJudgment, SliceRule, judge_slices
from gates.runs.material import Answer, Case, SliceMaterial, by_slice
from gates.runs.results import Result
from gates.statistics.agreement import Source
from gates.statistics.limits import shown, shown_change
from gates.statistics.policies import Outcome
from gates.verdicts import (
    GateVerdict,
    SliceVerdict,
    Verdict,
    agreement_verdict,
    calibration_verdict,
    change_verdict,
    gate_verdict,
    quality_verdict,
    slice_verdict,
)

DEFAULT_SCALE: Final = (0.0, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """Everything that a run comes to."""

    document: dict[str, Any]
    judgments: Mapping[str, SliceJudgment]
    previous_run: GateRun | None
    results_sha256: str
    ratings_sha256: str
    gate_run_sha256: str


@dataclass(frozen=True, slots=True, eq=False)
class _Looked:
    """What was read of the previous release and of both releases' costs."""

    previous_run: GateRun | None
    previous: Sequence[Answer]
    previous_rho: Mapping[str, float | None]
    new_costs: conditions.Measurements
    old_costs: conditions.Measurements | None


def decide(run: GateRun, results: Sequence[Result], at: datetime, keep: Callable[[], None]) -> Decision:
    """Judge a run. `keep` renews the lease between the steps."""
    policy = definition_from(run.policy["definition"])
    grades = _with_sent(grades_in(run.suite), results)
    cases = cases_of_suite(run.suite)
    looked = _look(run, results)
    keep()
    rules = _labelled([_rule(run, pinned) for pinned in run.slices])
    judged = _judge(run, rules, cases, _answers(results, grades), grades, looked, policy, at, keep=keep)
    keep()
    floors = conditions.judge_floors(
        {name: [(row.scores or {}).get(name) for row in results] for name in policy.floors},
        {name: float(low) for name, low in policy.floors.items()},
    )
    limits = _limits(run, looked, policy)
    before = {label: looked.previous_rho.get(rule.slug) for label, rule in rules.items()}
    verdict = _verdict(rules, judged, before, floors, limits)
    document = run_document(
        verdict=verdict,
        rules=rules,
        judgments=judged,
        previous=before,
        floors=floors,
        limits=limits,
        parity=run.parity,
        cases=_missing(cases, results),
    )
    return _decision(run, document, judged, looked, results_digest(results), digest_of_grades(grades))


def _decision(
    run: GateRun,
    document: dict[str, Any],
    judged: Mapping[str, SliceJudgment],
    looked: _Looked,
    results_sha256: str,
    ratings_sha256: str,
) -> Decision:
    digest = gate_run_digest(
        manifest_sha256=run.manifest_sha256,
        previous_release=run.previous_manifest_sha256,
        suite=run.suite.sha256,
        ratings=ratings_sha256,
        slice_set=run.slice_set_sha256,
        judges=run.judges,
        results=results_sha256,
        parity=run.parity,
        policy=run.policy["sha256"],
        verdicts=without_floats(document),
    )
    return Decision(document, judged, looked.previous_run, results_sha256, ratings_sha256, digest)


def _with_sent(known: Grades, results: Sequence[Result]) -> Grades:
    for result in results:
        if result.ratings:
            known.setdefault((result.case_id, result.answer_id), {}).update(dict(result.ratings))
    return known


def _answers(results: Sequence[Result], grades: Grades) -> list[Answer]:
    return [
        Answer(
            case_id=result.case_id,
            answer_id=result.answer_id,
            score=result.score,
            grades=grades.get((result.case_id, result.answer_id), {}),
            rescores=result.rescores,
            previous_rescores=result.previous_rescores,
        )
        for result in results
    ]


def _look(run: GateRun, results: Sequence[Result]) -> _Looked:
    previous_run = comparable_run(run.organization, run.previous_manifest_sha256, run.suite)
    new = measurements((row.case_id, row.latency_ms, row.input_tokens, row.output_tokens) for row in results)
    if previous_run is None:
        return _Looked(None, (), {}, new, None)
    answers = answers_of_run(previous_run, grades_in(previous_run.suite))
    old = replace(measurements_of_run(previous_run), unlike=timed_unlike(run, previous_run))
    return _Looked(previous_run, answers, _own_rhos(run, previous_run), new, old)


def _own_rhos(run: GateRun, previous: GateRun) -> dict[str, float | None]:
    """The previous release's own agreement by slice, where the same judge scored it."""
    rows = SliceResult.objects.filter(run=previous).values_list("slice__slug", "rho", "document")
    return {
        slug: rho
        for slug, rho, found in rows
        if previous.judges.get(slug) == run.judges.get(slug)
        and found["agreement"]
        and found["agreement"]["source"] == Source.OWN
    }


def _rule(run: GateRun, pinned: Mapping[str, Any]) -> SliceRule:
    definition, slug = pinned["definition"], pinned["slug"]
    low, high = run.order["scales"].get(slug, DEFAULT_SCALE)
    floor = definition["quality_floor"]
    return SliceRule(
        slug=slug,
        name=pinned["name"],
        threshold=float(definition["threshold"]),
        policy=definition["policy"],
        n_min=definition["n_min"],
        quality_floor=None if floor is None else float(floor),
        judge=pinned["judge"] or "",
        scale=(float(low), float(high)),
    )


def _labelled(rules: Sequence[SliceRule]) -> dict[str, SliceRule]:
    """The rules by what sentences call their slices: the name, with the slug where two have the same."""
    names = [rule.name for rule in rules]
    return {rule.name if names.count(rule.name) == 1 else f"{rule.name} ({rule.slug})": rule for rule in rules}


def _judge(
    run: GateRun,
    rules: Mapping[str, SliceRule],
    cases: Sequence[Case],
    answers: Sequence[Answer],
    grades: Grades,
    looked: _Looked,
    policy: Definition,
    at: datetime,
    *,
    keep: Callable[[], None],
) -> dict[str, SliceJudgment]:
    """Every slice that has cases, by label."""
    parents = dict(Slice.objects.filter(organization=run.organization).values_list("slug", "parent__slug"))
    slugs = [rule.slug for rule in rules.values()]
    members = by_slice(parents, slugs, cases)
    below = {slug: frozenset(case.slice for case in members[slug]) for slug in slugs if members[slug]}
    earlier = calibrations(run, below, at)
    why_not = uncalibrated(run, [slug for slug in below if slug not in earlier], at)
    new, old = _grouped(answers), _grouped(looked.previous)
    graded_cases = {case_id for case_id, _ in grades}
    present = {label: rule for label, rule in rules.items() if members[rule.slug]}
    material = []
    for rule in present.values():
        own = members[rule.slug]
        material.append(
            SliceMaterial(
                cases=own,
                answers=[answer for case in own for answer in new.get(case.case_id, ())],
                previous=_comparable(run, looked, rule, own, old),
                calibration=earlier.get(rule.slug),
                foreign_grades=any(case.case_id in graded_cases for case in own),
                uncalibrated=why_not.get(rule.slug, ""),
            )
        )
    allowed = active_cases(run.suite, at)
    case_rule = CaseRule(float(policy.max_per_case_regression), allowed, policy.small_drops_need_review)
    judged = judge_slices(
        list(zip(present.values(), material, strict=True)),
        cold_start=run.previous_manifest_sha256 is None,
        cases=case_rule,
        grade_scale=grade_scale_of(run),
        keep=keep,
    )
    return dict(zip(present, judged, strict=True))


def _comparable(
    run: GateRun, looked: _Looked, rule: SliceRule, cases: Sequence[Case], old: Mapping[str, Sequence[Answer]]
) -> list[Answer] | None:
    """The previous release's answers, where the same judge scored them."""
    previous = looked.previous_run
    if previous is None or previous.judges.get(rule.slug) != run.judges.get(rule.slug):
        return None
    return [answer for case in cases for answer in old.get(case.case_id, ())]


def _grouped(answers: Sequence[Answer]) -> dict[str, list[Answer]]:
    found: dict[str, list[Answer]] = {}
    for answer in answers:
        found.setdefault(answer.case_id, []).append(answer)
    return found


def _missing(cases: Sequence[Case], results: Sequence[Result]) -> tuple[int, int]:
    scored = {result.case_id for result in results if result.score is not None}
    return sum(case.case_id not in scored for case in cases), len(cases)


def _limits(run: GateRun, looked: _Looked, policy: Definition) -> list[conditions.Limit]:
    snapshot = conditions.judge_feature_snapshot(run.candidate["feature_snapshot"], run.order["feature_snapshot"])
    return [
        conditions.judge_parity(run.parity, policy),
        *([snapshot] if snapshot else []),
        conditions.judge_tokens(looked.new_costs, looked.old_costs, policy),
        *conditions.judge_latency(looked.new_costs, looked.old_costs, policy),
    ]


def _verdict(
    rules: Mapping[str, SliceRule],
    judged: Mapping[str, SliceJudgment],
    previous_rho: Mapping[str, float | None],
    floors: Sequence[conditions.Floor],
    limits: Sequence[conditions.Limit],
) -> GateVerdict:
    beside = {f"floor {floor.metric}": floor.verdict for floor in floors}
    beside |= {limit.metric: limit.verdict for limit in limits if limit.verdict}
    slices = [_slice_verdict(label, judgment, previous_rho.get(label)) for label, judgment in judged.items()]
    return gate_verdict(slices=slices, expected=list(rules), conditions=beside)


def _slice_verdict(label: str, judgment: SliceJudgment, previous_rho: float | None) -> SliceVerdict:
    return slice_verdict(
        label,
        agreement=_agreement_verdict(judgment, previous_rho),
        quality=quality_verdict(judgment.quality),
        change=change_verdict(judgment.change),
    )


def _agreement_verdict(judgment: SliceJudgment, previous_rho: float | None) -> Verdict:
    """With what it was before in the first sentence, which is the one that a run's reasons repeat."""
    if judgment.is_calibration and judgment.calibration:
        return calibration_verdict(judgment.calibration)
    verdict = agreement_verdict(judgment.agreement)
    first, *others = verdict.reasons
    rho = judgment.agreement.rho
    if judgment.what_to_do:
        first = f"{first} {judgment.what_to_do}"
    if rho is not None and previous_rho is not None and verdict.outcome is not Outcome.INSUFFICIENT:
        first = f"{first} It was {shown(previous_rho)} before: {shown_change(rho - previous_rho)}."
    return Verdict(verdict.outcome, verdict.evidence, (first, *others, *own_threshold_sentence(judgment)))
