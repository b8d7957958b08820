"""Why a route is rolled back, and how the receipt says what that was decided by (statistics.md R16, R18)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from audit.statement import DecisionInput, Policy
from gates.runs.digests import without_floats
from relcontrol.bundle.canonical import sha256_hex
from releases.measuring.as_json import MOST_EVIDENCE, QUALITY, decimal_of
from releases.observer_models import Observer
from releases.rollout_models import Rollback

SETTINGS: Final = "observer-settings"
SCHEMA: Final = "relcontrol/observer-settings/v1"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a route is rolled back: in words, and where it was not a person, what had been found since when."""

    reason: str
    trigger: Rollback.Trigger = Rollback.Trigger.PERSON
    observer: Observer | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    triggered_at: datetime | None = None


def policy_of(observer: Observer) -> Policy:
    """What an observer went by as receipts name it: the settings that were pinned when it began."""
    return Policy(SETTINGS, 1, sha256_hex({"schema": SCHEMA, **without_floats(observer.settings)}))


def inputs_of(facts: Mapping[str, Any]) -> list[DecisionInput]:
    """What an automatic rollback was decided by, as its receipt says it: each breached window, or the policy."""
    if "policy" in facts:
        found = [_input(facts, f"policy/{facts['policy']}", "violated", facts["value"], facts["limit"], facts["op"])]
    else:
        windows = facts.get("windows", ())
        found = [_input(each, QUALITY, each["verdict"], each["mean"], each["floor"], ">=") for each in windows]
    return [replace(each, slice=facts.get("slice")) for each in found]


def _input(
    said: Mapping[str, Any], metric: str, verdict: str, value: float | None, limit: float | None, op: str
) -> DecisionInput:
    evidence = said["sentence"] if "sentence" in said else f"{said['started_at']} to {said['ended_at']}"
    if said.get("sd") is not None:
        evidence += f"; sd={decimal_of(said['sd'])}"
    numbers = {"value": decimal_of(value), "threshold": decimal_of(limit), "n": said["n"]}
    return DecisionInput(metric, verdict, op=op, evidence=evidence[:MOST_EVIDENCE], **numbers)
