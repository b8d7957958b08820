"""What an estimate with its interval means under a slice's policy (rule R4), shared by agreement and quality."""

import math
from dataclasses import dataclass
from enum import StrEnum

from gates.statistics.limits import meets


class Outcome(StrEnum):
    """The answer to one question about a slice."""

    PASS = "pass"
    REVIEW = "review"
    INSUFFICIENT = "insufficient"
    FAIL = "fail"


class Evidence(StrEnum):
    """Whether the whole 90 % interval lies on one side of the limit."""

    PROVEN = "proven"
    UNPROVEN = "unproven"
    NONE = "none"


class Policy(StrEnum):
    """How much proof a slice asks for."""

    POINT = "point"
    GUARDED = "guarded"
    CONFIDENT = "confident"


class Insufficiency(StrEnum):
    """Why a question could not be answered."""

    NO_CASES = "no_cases"
    HUMAN_CONSTANT = "human_constant"
    JUDGE_CONSTANT = "judge_constant"
    TOO_FEW_CASES = "too_few_cases"
    TOO_FEW_OFF_MODE = "too_few_off_mode"
    TOO_MANY_MISSING = "too_many_missing"
    RANGE_TOO_NARROW = "range_too_narrow"
    NO_FLOOR = "no_floor"
    COLD_START = "cold_start"
    PREVIOUS_NOT_SCORED = "previous_not_scored"
    GRADES_OF_OTHER_ANSWERS = "grades_of_other_answers"
    TOO_FEW_RATERS = "too_few_raters"
    PANEL_TOO_NOISY = "panel_too_noisy"


@dataclass(frozen=True, slots=True)
class Decision:
    """An outcome with its evidence."""

    outcome: Outcome
    evidence: Evidence


UNDECIDABLE = Decision(Outcome.INSUFFICIENT, Evidence.NONE)


def decide(policy: Policy, *, estimate: float, low: float, high: float, limit: float) -> Decision:
    """Judge an estimate and its 90 % bounds against a limit; NaN bounds prove nothing, a NaN estimate is none."""
    if math.isnan(estimate):
        return UNDECIDABLE
    above, proven_above = meets(estimate, limit), meets(low, limit)
    proven_below = not math.isnan(high) and not meets(high, limit)
    evidence = Evidence.PROVEN if proven_above or proven_below else Evidence.UNPROVEN
    return Decision(_outcome(policy, above, proven_above, proven_below), evidence)


def _outcome(policy: Policy, above: bool, proven_above: bool, proven_below: bool) -> Outcome:
    if policy is Policy.POINT:
        return Outcome.PASS if above else Outcome.FAIL
    if proven_above:
        return Outcome.PASS
    if policy is Policy.GUARDED:
        return Outcome.REVIEW if above else Outcome.FAIL
    return Outcome.FAIL if proven_below else Outcome.INSUFFICIENT
