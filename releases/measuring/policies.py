"""Do the further policies of a rollout hold? Each over its own window (domain.md "Roll").

A metric on fewer than `n_min` answers is no data: it violates nothing, and the reason says so.
"""

from datetime import datetime
from typing import Final

from gates.statistics.limits import meets, shown_beside, shown_limit
from releases.measuring.policy_definition import COST, SHARES, Definition
from releases.measuring.policy_metrics import Measured, measure
from releases.measuring.policy_scopes import CandidateScope
from releases.monitors.wording import counted, percent
from releases.rollout_models import Measurement, Rollout
from releases.rollouts.evidence import PolicyVerdict

MINUTE: Final = 60
NO_COST: Final = " The endpoint of this release has no prices, or its answers name no tokens."


def judge_policies(row: Rollout, measurement: Measurement, now: datetime) -> tuple[PolicyVerdict, ...]:
    """The verdict of every policy that was pinned when the rollout started."""
    return tuple(
        judge_policy(policy, measure(CandidateScope(row, measurement), policy.metric, now - policy.window))
        for policy in map(Definition.from_json, row.settings.get("policies", ()))
    )


def judge_policy(policy: Definition, found: Measured) -> PolicyVerdict:
    """Compare what was measured with the limit; equality passes."""
    violated = found.value is not None and found.n >= policy.n_min and not _within(policy, found.value)
    return PolicyVerdict(policy.name, policy.effect, violated, (_sentence(policy, found),), policy.dry)


def _within(policy: Definition, value: float) -> bool:
    if policy.maximum is not None:
        return meets(policy.maximum, value)
    return policy.minimum is None or meets(value, policy.minimum)


def _sentence(policy: Definition, found: Measured) -> str:
    metric, usual = policy.words
    noun = found.noun or usual
    window = _window(policy.window_seconds)
    if found.value is None or found.n < policy.n_min:
        hint = NO_COST if policy.metric == COST and found.value is None else ""
        have = f"{counted(found.n, noun)} of {policy.n_min:,} in {window}"
        return f"{policy.name}: the {metric} is not judged, {have} are too few.{hint}"
    kind, limit = ("maximum", policy.maximum) if policy.maximum is not None else ("minimum", policy.minimum)
    end = "within" if _within(policy, found.value) else "beyond"
    value, bound = _written(policy, found.value, limit or 0.0)
    over = f"{value} over {counted(found.n, noun)} in {window}"
    return f"{policy.name}: the {metric} is {over}, {end} the {kind} of {bound}."


def _written(policy: Definition, value: float, limit: float) -> tuple[str, str]:
    if policy.metric in SHARES:
        return percent(value), percent(limit)
    return shown_beside(value, limit), shown_limit(limit, value)


def _window(seconds: int) -> str:
    return f"{seconds // MINUTE} min" if seconds % MINUTE == 0 else f"{seconds} s"
