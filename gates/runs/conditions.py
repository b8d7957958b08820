"""What a run must meet beside its slices: named floors, tokens, latency, feature snapshot, parity (domain.md "Gate").

Pure. A metric that the sender did not measure is said to be so and does not count, unless a floor names it: a floor is
the owner's wish, and without numbers it is insufficient. Equality with a limit passes everywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gates.policies.definition import Definition
from gates.statistics.arrays import as_floats, exact_mean
from gates.statistics.limits import meets, shown, shown_beside, shown_limit
from gates.statistics.policies import Evidence, Outcome
from gates.statistics.rules import missing_is_too_much
from gates.statistics.sentences import counted
from gates.verdicts import Verdict

NOT_MEASURED: Final = "not_measured"
MISSING_MAX: Final = 0.05
P95: Final = 0.95


@dataclass(frozen=True, slots=True)
class Floor:
    """A named score's mean against its floor."""

    metric: str
    value: float | None
    floor: float
    n: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Limit:
    """A measured value against a limit; `verdict` is None where nothing was measured."""

    metric: str
    value: float | None
    limit: float | None
    previous: float | None
    verdict: Verdict | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Measurements:
    """What one release's answers cost, by case where it was measured.

    `unlike` says why its latencies cannot be compared with the other release's, where they cannot.
    """

    tokens: Mapping[str, float]
    latency_ms: Mapping[str, float]
    unlike: str = ""


def judge_floors(scores: Mapping[str, Sequence[float | None]], floors: Mapping[str, float]) -> list[Floor]:
    """Each floor against the mean of the named scores, of which one is expected for every row sent."""
    return [_floor(metric, scores.get(metric, ()), low) for metric, low in sorted(floors.items())]


def _floor(metric: str, scores: Sequence[float | None], low: float) -> Floor:
    known = [score for score in scores if score is not None]
    if not known or missing_is_too_much(expected=len(scores), present=len(known), missing_max=MISSING_MAX):
        reason = (
            f"{counted(len(known), 'answer')} of {len(scores):,} brought a score called {metric}; send it for at least "
            "95 % of them, or take the floor out of the gate policy."
        )
        return Floor(metric, None, low, len(known), Verdict(Outcome.INSUFFICIENT, Evidence.NONE, (reason,)))
    mean = exact_mean(as_floats(known))
    passed = meets(mean, low)
    relation = "meets" if passed else "is below"
    reason = (
        f"The mean of {metric} is {shown_beside(mean, low)}, which {relation} its floor of {shown_limit(low, mean)}."
    )
    outcome = Outcome.PASS if passed else Outcome.FAIL
    return Floor(metric, mean, low, len(known), Verdict(outcome, Evidence.UNPROVEN, (reason,)))


def judge_tokens(new: Measurements, old: Measurements | None, policy: Definition) -> Limit:
    """Mean tokens per case against the previous release on common cases: more by a share is a review, then a fail."""
    pairs = _common(new.tokens, old.tokens if old else {})
    if not pairs:
        return _unmeasured("tokens", new.tokens, "tokens", old)
    value, before = (exact_mean(as_floats(side)) for side in zip(*pairs, strict=True))
    review, fail = (_raised(before, percent) for percent in (policy.tokens_review_percent, policy.tokens_fail_percent))
    outcome, limit = Outcome.PASS, review if review is not None else fail
    for bound, worse in ((review, Outcome.REVIEW), (fail, Outcome.FAIL)):
        if bound is not None and not meets(bound, value):
            outcome, limit = worse, bound
    change = f"{shown(100 * (value / before - 1), 1)} %" if before else "from none"
    reason = f"{shown(value, 1)} tokens a case, {change} against {shown(before, 1)} before."
    return Limit("tokens", value, limit, before, Verdict(outcome, Evidence.UNPROVEN, (reason,)), (reason,))


def _raised(before: float, percent: object) -> float | None:
    return None if percent is None else before * (1 + float(str(percent)) / 100)


def judge_latency(new: Measurements, old: Measurements | None, policy: Definition) -> list[Limit]:
    """The 95th percentile of latency: against an absolute limit, and against the previous release on common cases."""
    limits = []
    if policy.latency_p95_ms is not None:
        limits.append(_absolute_latency(new, float(policy.latency_p95_ms)))
    if policy.latency_p95_ratio is not None:
        limits.append(_relative_latency(new, old, float(policy.latency_p95_ratio)))
    return limits


def _absolute_latency(new: Measurements, limit: float) -> Limit:
    if not new.latency_ms:
        reason = "No answer brought latency_ms, and the gate policy limits it: send it."
        return Limit(
            "latency_p95", None, limit, None, Verdict(Outcome.INSUFFICIENT, Evidence.NONE, (reason,)), (reason,)
        )
    return _latency(percentile(list(new.latency_ms.values())), limit, None, "the limit of the gate policy")


def _relative_latency(new: Measurements, old: Measurements | None, ratio: float) -> Limit:
    if old and old.unlike:
        return Limit("latency_p95_ratio", None, None, None, None, (old.unlike,))
    pairs = _common(new.latency_ms, old.latency_ms if old else {})
    if not pairs:
        return _unmeasured("latency_p95_ratio", new.latency_ms, "latency_ms", old)
    value, before = (percentile(list(side)) for side in zip(*pairs, strict=True))
    found = _latency(value, before * ratio, before, f"{shown_limit(ratio)} times the previous release's")
    return Limit("latency_p95_ratio", found.value, found.limit, before, found.verdict, found.reasons)


def _latency(value: float, limit: float, previous: float | None, words: str) -> Limit:
    passed = meets(limit, value)
    reason = (
        f"The 95th percentile of latency is {shown(value, 0)} ms, {'within' if passed else 'over'} {words}: "
        f"{shown(limit, 0)} ms."
    )
    verdict = Verdict(Outcome.PASS if passed else Outcome.FAIL, Evidence.UNPROVEN, (reason,))
    return Limit("latency_p95", value, limit, previous, verdict, (reason,))


def percentile(values: Sequence[float], share: float = P95) -> float:
    """The nearest-rank percentile: the smallest value that at least `share` of the values do not exceed."""
    ordered = sorted(values)
    rank = -int(-share * len(ordered) // 1)
    return ordered[max(rank, 1) - 1]


def _common(new: Mapping[str, float], old: Mapping[str, float]) -> list[tuple[float, float]]:
    return [(new[case_id], old[case_id]) for case_id in sorted(new) if case_id in old]


def _unmeasured(metric: str, new: Mapping[str, float], name: str, old: Measurements | None) -> Limit:
    value = None
    if not new:
        reason = f"Not measured: no answer brought {name}."
    elif old is None:
        reason = "Not compared: the previous release has no results on this suite."
    else:
        reason = f"Not compared: no answer of the previous release brought {name}."
    return Limit(metric, value, None, None, None, (reason,))


def judge_parity(parity: str, policy: Definition) -> Limit:
    """Whether the answers were made by what will serve; a mismatch never gets this far."""
    if parity == "match":
        reason = "The fingerprint of what made the answers is the manifest's."
        return Limit("parity", None, None, None, Verdict(Outcome.PASS, Evidence.NONE, (reason,)), (reason,))
    outcomes = {"hold": Outcome.INSUFFICIENT, "review": Outcome.REVIEW, "accept": Outcome.PASS}
    reason = (
        "Nobody says what made these answers: send `parity`, the digest of the bundle or of the preprocessing that "
        "the evaluation used."
    )
    outcome = outcomes[policy.parity_not_claimed]
    return Limit("parity", None, None, None, Verdict(outcome, Evidence.NONE, (reason,)), (reason,))


def judge_feature_snapshot(expected: str | None, claimed: str | None) -> Limit | None:
    """Whether the evaluation saw the feature snapshot that the manifest names; None where it names none."""
    if expected is None and claimed is None:
        return None
    if claimed is None:
        reason = f"The manifest names the feature snapshot {expected}; say in `feature_snapshot` which one was used."
        outcome = Outcome.INSUFFICIENT
    elif claimed == expected:
        reason, outcome = "The evaluation used the feature snapshot of the manifest.", Outcome.PASS
    else:
        reason = f"The evaluation used the feature snapshot {claimed}, the manifest names {expected or 'none'}."
        outcome = Outcome.FAIL
    return Limit("feature_snapshot", None, None, None, Verdict(outcome, Evidence.NONE, (reason,)), (reason,))
