"""The per-case rule: no case may drop by more than a limit, confirmed by fresh scores (rule R9).

A judge scores the same answer differently each time, so among many unchanged cases some always seem to drop. A
flagged case is therefore scored again, both releases, often enough that all N cases together flag falsely at most
5 % of the time, and decided on the fresh means alone.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gates.statistics.distributions import ALPHA, normal_quantile
from gates.statistics.limits import meets


class CaseOutcome(StrEnum):
    """What became of one case since the previous release."""

    HELD = "held"
    NOT_COMPARED = "not_compared"
    FLAGGED_UNCONFIRMED = "flagged_unconfirmed"
    CLEARED = "cleared"
    REGRESSED = "regressed"
    TOLERATED = "tolerated"


@dataclass(frozen=True, slots=True)
class CasePair:
    """One case's scores under both releases, on the scale of the limit; None where one is missing."""

    case_id: str
    new: float | None
    old: float | None


@dataclass(frozen=True, slots=True)
class FreshScores:
    """Scores of a flagged case taken again, the same number of times for both releases."""

    new: Sequence[float]
    old: Sequence[float]


@dataclass(frozen=True, slots=True)
class CaseRegression:
    """The outcome of one case with the drop (old − new) that decided it."""

    case_id: str
    outcome: CaseOutcome
    drop: float | None
    first_drop: float | None


def rescores_needed(*, cases: int, rescore_deviation: float, limit: float) -> int:
    """Return m = ⌈2 (s·z / limit)²⌉, z at 1 − (1 − .05)^{1/N}: how often a flagged case is scored again, at least once.

    ``rescore_deviation`` (s) and ``limit`` are on the same scale.
    """
    if not limit > 0:
        raise ValueError("without a positive limit no number of scores separates a drop from noise: raise the limit")
    tail = -math.expm1(math.log1p(-ALPHA) / max(cases, 1))
    return max(1, math.ceil(2 * (rescore_deviation * -normal_quantile(tail) / limit) ** 2))


def flagged_cases(pairs: Sequence[CasePair], limit: float) -> list[str]:
    """Return the ids of the cases whose single score dropped by more than ``limit``; a drop equal to it is none."""
    return [pair.case_id for pair in pairs if not _holds(_drop(pair), limit)]


def judge_cases(
    pairs: Sequence[CasePair],
    limit: float,
    *,
    fresh: Mapping[str, FreshScores],
    allowed: Collection[str] = (),
) -> list[CaseRegression]:
    """Decide every case: ``fresh`` holds the re-scored ones, ``allowed`` the ids on the allowlist."""
    return [_judge_case(pair, limit, fresh.get(pair.case_id), pair.case_id in allowed) for pair in pairs]


def _drop(pair: CasePair) -> float | None:
    if pair.new is None or pair.old is None:
        return None
    drop = pair.old - pair.new
    return drop if math.isfinite(drop) else None


def _holds(drop: float | None, limit: float) -> bool:
    return drop is None or meets(limit, drop)


def _judge_case(pair: CasePair, limit: float, fresh: FreshScores | None, allowed: bool) -> CaseRegression:
    first = _drop(pair)
    if first is None:
        return CaseRegression(pair.case_id, CaseOutcome.NOT_COMPARED, None, None)
    if _holds(first, limit):
        return CaseRegression(pair.case_id, CaseOutcome.HELD, first, first)
    drop, outcome = _second_look(first, limit, fresh)
    if allowed and outcome is not CaseOutcome.CLEARED:
        outcome = CaseOutcome.TOLERATED
    return CaseRegression(pair.case_id, outcome, drop, first)


def _second_look(first: float, limit: float, fresh: FreshScores | None) -> tuple[float, CaseOutcome]:
    if fresh is None or not fresh.new or not fresh.old:
        return first, CaseOutcome.FLAGGED_UNCONFIRMED
    drop = math.fsum(fresh.old) / len(fresh.old) - math.fsum(fresh.new) / len(fresh.new)
    if not math.isfinite(drop):
        return first, CaseOutcome.FLAGGED_UNCONFIRMED
    return drop, CaseOutcome.CLEARED if _holds(drop, limit) else CaseOutcome.REGRESSED
