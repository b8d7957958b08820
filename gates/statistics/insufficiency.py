"""Whether there is enough to judge agreement at all, in the order of rule R3, and how many cases would be enough."""

import math
from dataclasses import dataclass

from gates.statistics.limits import TOLERANCE
from gates.statistics.policies import Insufficiency
from gates.statistics.rules import AgreementRule, missing_is_too_much


@dataclass(frozen=True, slots=True)
class Material:
    """What a slice brings: graded answers, those of them with a score, and how many of these are off the mode."""

    graded: int
    scored: int
    human_off_mode: int
    judge_off_mode: int

    @property
    def off_mode(self) -> int:
        """Cases off the mode on the poorer side."""
        return min(self.human_off_mode, self.judge_off_mode)


def reason_not_to_judge(material: Material, rule: AgreementRule) -> Insufficiency | None:
    """Return the first reason why agreement cannot be judged, or None."""
    if material.scored == 0:
        return Insufficiency.TOO_MANY_MISSING if material.graded else Insufficiency.NO_CASES
    if material.human_off_mode == 0:
        return Insufficiency.HUMAN_CONSTANT
    if material.judge_off_mode == 0:
        return Insufficiency.JUDGE_CONSTANT
    if material.scored < rule.n_min:
        return Insufficiency.TOO_FEW_CASES
    if material.off_mode < rule.off_mode_min:
        return Insufficiency.TOO_FEW_OFF_MODE
    if missing_is_too_much(expected=material.graded, present=material.scored, missing_max=rule.missing_max):
        return Insufficiency.TOO_MANY_MISSING
    return None


def cases_to_be_judged(reason: Insufficiency, material: Material, rule: AgreementRule) -> int | None:
    """Return how many scored cases the slice needs before it can be judged; None where no number helps.

    A slice without variation needs at least ``off_mode_min`` further cases that differ; one with too little of it is
    taken to go on at the rate it has shown.
    """
    match reason:
        case Insufficiency.HUMAN_CONSTANT | Insufficiency.JUDGE_CONSTANT:
            needed = material.scored + rule.off_mode_min
        case Insufficiency.TOO_FEW_OFF_MODE:
            needed = math.ceil(material.scored * rule.off_mode_min / material.off_mode)
        case Insufficiency.TOO_MANY_MISSING:
            needed = material.graded - math.floor(rule.missing_max * material.graded + TOLERANCE)
        case Insufficiency.RANGE_TOO_NARROW:
            return None
        case _:
            needed = rule.n_min
    return max(needed, rule.n_min)
