"""From material and rules to the verdict of a run: agreement, quality and change of each slice (domain.md "Gate").

Pure. Agreement is measured on this release's own graded answers where there are enough of them, else on earlier ones
that the same judge scored. Quality and change are on [0, 1]: by the judge's calibration on the slice, else by a map
fitted on this run's own grades, else by the judge's own scale; both releases go through the same map. The per-case
rule looks at the judge's own scale in points of 100, which is what people see beside an answer.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np

from gates.runs.material import (
    Answer,
    Calibration,
    Case,
    Grades,
    SliceMaterial,
    grades_of,
    key_of,
    scores_by_case,
    scores_of,
)
from gates.statistics.agreement import AgreementResult, GradedScores, Source, judge_agreements
from gates.statistics.arrays import Floats
from gates.statistics.calibration import FEWEST_CASES, CalibrationResult, calibrate, calibration_rule
from gates.statistics.change import ChangeMaterial, ChangeResult, judge_changes
from gates.statistics.paired import Graded, PairedTest, paired_agreement, paired_level
from gates.statistics.policies import Insufficiency, Outcome, Policy
from gates.statistics.quality import QualityResult, judge_quality
from gates.statistics.regression import CasePair, CaseRegression, FreshScores, judge_cases
from gates.statistics.reliability import Reliability, reliability_of
from gates.statistics.rules import AgreementRule, QualityRule, floor_of
from gates.statistics.scales import IsotonicMap, LinearMap, fit_isotonic
from gates.suite_files.cases import Scale

POINTS: Final = 100.0
MOST_FOR_RELIABILITY: Final = 20_000
UNGRADED: Final = frozenset(
    {Insufficiency.NO_CASES, Insufficiency.GRADES_OF_OTHER_ANSWERS, Insufficiency.TOO_FEW_CASES}
)

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class SliceRule:
    """What a slice asks, from its pinned definition. `scale` is its judge's."""

    slug: str
    name: str
    threshold: float
    policy: str
    n_min: int
    quality_floor: float | None
    judge: str
    scale: Scale


@dataclass(frozen=True, slots=True)
class CaseRule:
    """The per-case limit in points, who may exceed it, and whether small drops need a person."""

    limit: float
    allowed: Collection[str] = ()
    small_drops_need_review: bool = False


@dataclass(frozen=True, slots=True)
class SliceJudgment:
    """The three answers of a slice and what they rest on; `map` is calibration, own or linear."""

    rule: SliceRule
    material: SliceMaterial
    agreement: AgreementResult
    calibration: CalibrationResult | None
    reliability: Reliability | None
    quality: QualityResult
    change: ChangeResult
    map: str
    pairs: Sequence[CasePair]
    regressions: Sequence[CaseRegression]

    @property
    def what_to_do(self) -> str:
        """Why earlier answers cannot stand in for grades that are missing; empty where they do or none are."""
        too_few = self.agreement.reason in UNGRADED and self.calibration is None
        return self.material.uncalibrated if too_few else ""

    @property
    def is_calibration(self) -> bool:
        """Agreement is that of earlier answers."""
        return self.calibration is not None and self.agreement is self.calibration.agreement


@dataclass(frozen=True, slots=True, eq=False)
class _Prepared:
    """A slice with its grades read, its calibration judged and its map chosen."""

    rule: SliceRule
    material: SliceMaterial
    grades: Grades
    graded: Sequence[Answer]
    calibration: CalibrationResult | None
    calibration_grades: Grades | None
    chosen: str
    map: IsotonicMap | LinearMap

    @property
    def uses_calibration(self) -> bool:
        """Too few own grades, and earlier ones to fall back on: enough of them, or at least more than own ones.

        Grades that came with a run are earlier ones of the next. Where these few are all that there is, what is
        missing is the rest of this release's own, which are fewer than a calibration takes.
        """
        if self.calibration is None or len(self.graded) >= self.rule.n_min:
            return False
        earlier = self.calibration.agreement.graded
        return earlier >= FEWEST_CASES or earlier > len(self.graded)

    def mapped(self, answers: Sequence[Answer]) -> dict[str, float]:
        """Scores on [0, 1], by answer."""
        values = np.clip(self.map.predict(scores_of(answers)), 0.0, 1.0)
        pairs = zip(answers, values.tolist(), strict=True)
        return {key_of(answer): value for answer, value in pairs if value == value}  # noqa: PLR0124 - NaN is no score


def judge_slices(
    slices: Sequence[tuple[SliceRule, SliceMaterial]],
    *,
    cold_start: bool,
    cases: CaseRule,
    grade_scale: Scale | None,
    keep: Callable[[], None] = lambda: None,
) -> list[SliceJudgment]:
    """Judge every slice on its own cases; only the corrections for many slices look at all of them.

    `keep` is called between slices, as large ones take longer together than a lease lasts.
    """
    prepared = [_prepare(rule, material, grade_scale) for rule, material in _kept(slices, keep)]
    agreements = judge_agreements([_graded_scores(each) for each in prepared if not each.uses_calibration])
    own = iter(agreements)
    found = [_agreement(each) or next(own) for each in prepared]
    levels = [_level(each) for each in _kept(prepared, keep)]
    regressions = [_regressions(each, cases) for each in _kept(prepared, keep)]
    changes = judge_changes(
        [
            ChangeMaterial(
                level=level,
                agreement=_paired_agreement(each),
                cases=tuple(judged),
                n_min=each.rule.n_min,
                awaited=not cold_start,
                small_drops_need_review=cases.small_drops_need_review,
            )
            for each, level, (_, judged) in zip(_kept(prepared, keep), levels, regressions, strict=True)
        ]
    )
    rows = zip(_kept(prepared, keep), found, levels, changes, regressions, strict=True)
    return [_judgment(*row) for row in rows]


def _kept(items: Sequence[Item], keep: Callable[[], None]) -> Iterator[Item]:
    for item in items:
        keep()
        yield item


def _prepare(rule: SliceRule, material: SliceMaterial, grade_scale: Scale | None) -> _Prepared:
    graded = material.graded
    grades = grades_of(graded)
    earlier = material.calibration
    calibration_grades = grades_of(earlier.answers) if earlier else None
    calibration = _calibration(rule, earlier, calibration_grades)
    chosen, fitted = _map(rule, graded, grades, earlier, calibration, calibration_grades, grade_scale)
    return _Prepared(rule, material, grades, graded, calibration, calibration_grades, chosen, fitted)


def _calibration(rule: SliceRule, earlier: Calibration | None, grades: Grades | None) -> CalibrationResult | None:
    if earlier is None or grades is None:
        return None
    return calibrate(grades.ratings, scores_of(earlier.answers), calibration_rule(rule.threshold), earlier.clusters)


def _map(
    rule: SliceRule,
    graded: Sequence[Answer],
    grades: Grades,
    earlier: Calibration | None,
    calibration: CalibrationResult | None,
    calibration_grades: Grades | None,
    grade_scale: Scale | None,
) -> tuple[str, IsotonicMap | LinearMap]:
    """The map to [0, 1] with where it comes from. Without a scale of grades there is nothing to map to."""
    if earlier and earlier.scale and calibration_grades and calibration and calibration.outcome is Outcome.PASS:
        return "calibration", _fit(earlier.answers, calibration_grades, earlier.scale)
    if grade_scale and len(graded) >= rule.n_min and not np.isnan(scores_of(graded)).all():
        return "own", _fit(graded, grades, grade_scale)
    return "linear", LinearMap(*rule.scale)


def _fit(answers: Sequence[Answer], grades: Grades, scale: Scale) -> IsotonicMap:
    return fit_isotonic(scores_of(answers), (grades.levels - scale[0]) / (scale[1] - scale[0]))


def _graded_scores(each: _Prepared) -> GradedScores:
    rule = AgreementRule(each.rule.threshold, Policy(each.rule.policy), n_min=each.rule.n_min)
    return GradedScores(
        human=each.grades.ranks,
        judge=scores_of(each.graded),
        rule=rule,
        clusters=each.material.clusters_of(each.graded),
        source=Source.OWN,
        own_spread=each.grades.spread if len(each.graded) > 1 else None,
        calibration_spread=each.calibration_grades.spread if each.calibration_grades else None,
        foreign_grades=each.material.foreign_grades,
    )


def _agreement(each: _Prepared) -> AgreementResult | None:
    """That of the calibration, where it stands in for the own grades that are missing."""
    return each.calibration.agreement if each.calibration and each.uses_calibration else None


def _level(each: _Prepared) -> PairedTest | None:
    if each.material.previous is None:
        return None
    new, old = _by_case(each, each.material.answers), _by_case(each, each.material.previous)
    return paired_level(new, old, each.material.case_clusters())


def _by_case(each: _Prepared, answers: Sequence[Answer]) -> Floats:
    return scores_by_case(each.material.cases, answers, each.mapped(answers))


def _paired_agreement(each: _Prepared) -> PairedTest | None:
    """Both releases' agreement on the cases of which both have a graded answer."""
    before = [answer for answer in each.material.previous or () if answer.grades]
    if not before or not each.graded:
        return None
    new, old = _graded_by_case(each.graded, each.grades), _graded_by_case(before, grades_of(before))
    common = [case for case in each.material.cases if case.case_id in new and case.case_id in old]
    if not common:
        return None
    sides = [
        Graded([side[case.case_id][0] for case in common], [side[case.case_id][1] for case in common])
        for side in (new, old)
    ]
    clustered = any(case.cluster_id for case in common)
    return paired_agreement(sides[0], sides[1], [case.cluster_id for case in common] if clustered else None)


def _graded_by_case(answers: Sequence[Answer], grades: Grades) -> dict[str, tuple[float, float]]:
    """Grade and score of one answer to each case: of the first by name, where there are several."""
    rows = zip(answers, grades.ranks.tolist(), scores_of(answers).tolist(), strict=True)
    ordered = sorted(rows, key=lambda row: row[0].answer_id, reverse=True)
    return {answer.case_id: (grade, score) for answer, grade, score in ordered}


def _regressions(each: _Prepared, rule: CaseRule) -> tuple[list[CasePair], list[CaseRegression]]:
    if each.material.previous is None:
        return [], []
    scale = LinearMap(*each.rule.scale)
    new, old = (_points(scale, each.material.cases, side) for side in (each.material.answers, each.material.previous))
    pairs = [CasePair(case.case_id, new.get(case.case_id), old.get(case.case_id)) for case in each.material.cases]
    fresh = {
        answer.case_id: FreshScores(_stretched(scale, answer.rescores), _stretched(scale, answer.previous_rescores))
        for answer in each.material.answers
        if answer.rescores
    }
    return pairs, judge_cases(pairs, rule.limit, fresh=fresh, allowed=rule.allowed)


def _points(scale: LinearMap, cases: Sequence[Case], answers: Sequence[Answer]) -> dict[str, float]:
    values = scale.predict(scores_of(answers)).tolist()
    keyed = {key_of(answer): POINTS * value for answer, value in zip(answers, values, strict=True) if value == value}  # noqa: PLR0124 - NaN is no score
    means = scores_by_case(cases, answers, keyed).tolist()
    return {case.case_id: mean for case, mean in zip(cases, means, strict=True) if mean == mean}  # noqa: PLR0124 - the same


def _stretched(scale: LinearMap, scores: Sequence[float]) -> list[float]:
    stretched: list[float] = (POINTS * scale.predict(scores)).tolist()
    return stretched


def _judgment(
    each: _Prepared,
    agreement: AgreementResult,
    level: PairedTest | None,
    change: ChangeResult,
    regressions: tuple[list[CasePair], list[CaseRegression]],
) -> SliceJudgment:
    floor = floor_of(owner=each.rule.quality_floor, previous_mean=level.old if level else None)
    quality_rule = QualityRule(floor, Policy(each.rule.policy), n_min=each.rule.n_min)
    scores = _by_case(each, each.material.answers)
    measured = each.calibration_grades if each.uses_calibration else each.grades
    return SliceJudgment(
        rule=each.rule,
        material=each.material,
        agreement=agreement,
        calibration=each.calibration,
        reliability=_reliability(measured),
        quality=judge_quality(scores, quality_rule, each.material.case_clusters()),
        change=change,
        map=each.chosen,
        pairs=regressions[0],
        regressions=regressions[1],
    )


def _reliability(grades: Grades | None) -> Reliability | None:
    if grades is None or grades.raters < 2 or not 0 < len(grades.levels) <= MOST_FOR_RELIABILITY:
        return None
    return reliability_of(grades.ratings)
