"""Further policies of a route, held against what serves it (domain.md "Roll"): objective ones roll back, others ask.

Each is judged over its own window, of what was served since the release took over, by the policies that were pinned
when its observer began. A violated one that would roll back, where there is nothing to go back to or a rollback is not
to be, asks a person as well.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from audit.chain import timestamp
from releases.measuring.as_json import finite
from releases.measuring.policies import judge_policy
from releases.measuring.policy_definition import Definition
from releases.measuring.policy_metrics import measure
from releases.measuring.policy_scopes import ServingScope
from releases.observer_models import DriftAlarm, Observer
from releases.observing.drift import raise_alarm
from releases.rolling.rolling_back import roll_back_automatically
from releases.rollout_models import Rollback
from releases.rollouts.evidence import Action

EVERY: Final = timedelta(seconds=10)
OF_WINDOW: Final = 60  # a policy over a day is not read every ten seconds: it moves too slowly for that


def judge_serving_policies(observer: Observer, now: datetime) -> list[dict[str, Any]]:
    """Judge and act; what was found, as `observer.policies` keeps it for pages.

    Each is `{"name", "metric", "value", "limit", "op", "n", "sentence", "violated", "action", "dry", "at"}`. One that
    was judged within `EVERY`, or within a sixtieth of its window, stays as it is.
    """
    known = {each["name"]: each for each in observer.policies}
    policies = [Definition.from_json(each) for each in observer.settings.get("policies", ())]
    due = [policy for policy in policies if _is_due(policy, known.get(policy.name), now)]
    if not due:
        return [known[policy.name] for policy in policies]
    fresh = {policy.name: _judged(observer, policy, now) for policy in due}
    observer.policies = [fresh.get(policy.name) or known[policy.name] for policy in policies]
    Observer.objects.filter(pk=observer.pk).update(policies=observer.policies)
    for each in fresh.values():
        if each["violated"] and not each["dry"]:
            _act(observer, each, now)
    return list(observer.policies)


def _is_due(policy: Definition, last: Mapping[str, Any] | None, now: datetime) -> bool:
    if last is None:
        return True
    return not timestamp(now - max(EVERY, policy.window / OF_WINDOW)) < last["at"] <= timestamp(now)


def _judged(observer: Observer, policy: Definition, now: datetime) -> dict[str, Any]:
    measured = measure(ServingScope(observer), policy.metric, now - policy.window)
    verdict = judge_policy(policy, measured)
    return {
        "name": policy.name,
        "metric": policy.metric,
        "value": finite(measured.value),
        "limit": policy.maximum if policy.maximum is not None else policy.minimum,
        "op": "<=" if policy.maximum is not None else ">=",
        "n": measured.n,
        "sentence": " ".join(verdict.reasons),
        "violated": verdict.violated,
        "action": verdict.action.value,
        "dry": verdict.dry,
        "at": timestamp(now),
    }


def _act(observer: Observer, found: Mapping[str, Any], now: datetime) -> None:
    facts = {name: found[name] for name in ("metric", "value", "limit", "op", "n", "sentence")}
    facts["policy"] = found["name"]
    if found["action"] == Action.ROLLBACK and roll_back_automatically(
        observer=observer,
        trigger=Rollback.Trigger.POLICY,
        facts=facts,
        triggered_at=now,
        reason=f"By rule: {found['sentence']}",
        now=now,
    ):
        return
    raise_alarm(
        observer, kind=DriftAlarm.Kind.POLICY, subject=found["name"], facts=facts, reason=found["sentence"], now=now
    )
