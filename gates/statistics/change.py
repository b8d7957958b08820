"""Is nothing worse than before? The change verdict of each slice of a run (rules R8, R9)."""

from collections.abc import Sequence
from dataclasses import dataclass

from gates.statistics.limits import TOLERANCE
from gates.statistics.paired import Movement, PairedTest, movements
from gates.statistics.policies import Evidence, Insufficiency, Outcome
from gates.statistics.regression import CaseOutcome, CaseRegression
from gates.statistics.rules import require_enough


@dataclass(frozen=True, slots=True)
class ChangeMaterial:
    """What a slice brings: the paired level, agreement where both are graded, cases.

    Without a level there is no previous release or, with ``awaited``, one whose scores are not there yet. With
    ``small_drops_need_review`` a drop within the limit asks for a person, too.
    """

    level: PairedTest | None
    agreement: PairedTest | None = None
    cases: tuple[CaseRegression, ...] = ()
    n_min: int = 20
    awaited: bool = False
    small_drops_need_review: bool = False

    def __post_init__(self) -> None:
        require_enough(self.n_min)


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """The change verdict with what led to it; a movement is None where it was not tested."""

    material: ChangeMaterial
    movement: Movement | None
    agreement_movement: Movement | None
    outcome: Outcome
    evidence: Evidence
    reason: Insufficiency | None = None
    cases_needed: int | None = None

    def cases_that(self, outcome: CaseOutcome) -> tuple[CaseRegression, ...]:
        """Return the cases with this outcome, the largest drop first."""
        chosen = [case for case in self.material.cases if case.outcome is outcome]
        return tuple(sorted(chosen, key=lambda case: (-(case.drop or 0.0), case.case_id)))


def judge_changes(slices: Sequence[ChangeMaterial]) -> list[ChangeResult]:
    """Judge all slices of a run; each kind of test is corrected by Holm over the slices that have enough cases."""
    levels = movements([_enough(material.level, material.n_min) for material in slices])
    agreements = movements([_enough(material.agreement, material.n_min) for material in slices])
    return [_judge(*row) for row in zip(slices, levels, agreements, strict=True)]


def _enough(test: PairedTest | None, n_min: int) -> PairedTest | None:
    return test if test is not None and test.n >= n_min else None


def _judge(material: ChangeMaterial, level: Movement | None, agreement: Movement | None) -> ChangeResult:
    outcome, evidence, reason = _outcome(material, level, agreement)
    needed = max(material.n_min, 2) if reason in (Insufficiency.TOO_FEW_CASES, Insufficiency.NO_CASES) else None
    return ChangeResult(material, level, agreement, outcome, evidence, reason, needed)


def _outcome(
    material: ChangeMaterial, level: Movement | None, agreement: Movement | None
) -> tuple[Outcome, Evidence, Insufficiency | None]:
    cases = {case.outcome for case in material.cases}
    if level is Movement.DROPPED or CaseOutcome.REGRESSED in cases:
        return Outcome.FAIL, Evidence.PROVEN, None
    if level is None:
        return Outcome.INSUFFICIENT, Evidence.NONE, _reason(material)
    if agreement is Movement.DROPPED:
        return Outcome.REVIEW, Evidence.PROVEN, None
    if CaseOutcome.FLAGGED_UNCONFIRMED in cases or (material.small_drops_need_review and small_drops(material.cases)):
        return Outcome.REVIEW, Evidence.UNPROVEN, None
    return Outcome.PASS, Evidence.PROVEN if level is Movement.IMPROVED else Evidence.UNPROVEN, None


def small_drops(cases: Sequence[CaseRegression]) -> list[CaseRegression]:
    """Return the cases that dropped and stayed within the limit."""
    return [case for case in cases if case.outcome is CaseOutcome.HELD and (case.drop or 0.0) > TOLERANCE]


def _reason(material: ChangeMaterial) -> Insufficiency:
    if material.level is None:
        return Insufficiency.PREVIOUS_NOT_SCORED if material.awaited else Insufficiency.COLD_START
    return Insufficiency.TOO_FEW_CASES if material.level.n else Insufficiency.NO_CASES
