"""The names of what leaves a receipt (receipts.md "Events") and the seeds' words for some of them (contracts.md).

Receipts always carry the dotted name; filters of the API and webhooks accept both vocabularies through `resolve`.
"""

from enum import StrEnum


class Event(StrEnum):
    """One decision, one name. A name, once used in a receipt, is never changed or given another meaning."""

    RELEASE_REGISTERED = "release.registered"
    RELEASE_ARCHIVED = "release.archived"

    GATE_PASSED = "gate.passed"
    GATE_FAILED = "gate.failed"
    GATE_HELD = "gate.held"
    GATE_OVERRIDDEN = "gate.overridden"
    GATE_CARRIED = "gate.carried"
    GATE_SIGNED_OFF = "gate.signed_off"
    OVERRIDE_REQUESTED = "override.requested"
    OVERRIDE_REJECTED = "override.rejected"
    OVERRIDE_WITHDRAWN = "override.withdrawn"
    OVERRIDE_EXPIRED = "override.expired"

    ROLLOUT_STARTED = "rollout.started"
    ROLLOUT_PAUSED = "rollout.paused"
    ROLLOUT_RESUMED = "rollout.resumed"
    ROLLOUT_HALTED = "rollout.halted"
    ROLLOUT_ABORTED = "rollout.aborted"
    ROLLOUT_COMPLETED = "rollout.completed"
    CHECKPOINT_PROMOTED = "checkpoint.promoted"
    CHECKPOINT_HELD = "checkpoint.held"
    CHECKPOINT_WAITING_REVIEW = "checkpoint.waiting_review"
    ROLLBACK_AUTO = "rollback.auto"
    ROLLBACK_MANUAL = "rollback.manual"
    ROLLBACK_REHEARSED = "rollback.rehearsed"
    OBSERVER_ARMED = "observer.armed"
    OBSERVER_REFUSED = "observer.refused"
    DRIFT_ALARMED = "drift.alarmed"
    DESIRED_STATE_RECONCILED = "desired_state.reconciled"

    POLICY_CHANGED = "policy.changed"
    JUDGE_CALIBRATED = "judge.calibrated"
    SUITE_IMPORTED = "suite.imported"
    RATINGS_ADDED = "ratings.added"
    CASE_ALLOWLISTED = "case.allowlisted"
    ARTIFACT_CREATED = "artifact.created"
    WEIGHTS_OBSERVED = "weights.observed"
    WEIGHTS_DRIFTED = "weights.drifted"

    ORGANIZATION_CHANGED = "organization.changed"
    APPLICATION_CHANGED = "application.changed"
    ROUTE_CHANGED = "route.changed"
    ENDPOINT_CHANGED = "endpoint.changed"
    MEMBER_CHANGED = "member.changed"
    TOKEN_CHANGED = "token.changed"
    KEY_ROTATED = "key.rotated"
    KEY_REVOKED = "key.revoked"
    BREAKGLASS_USED = "breakglass.used"

    ANCHOR_MADE = "anchor.made"
    EXPORT_ISSUED = "export.issued"
    DISCLOSURE_ERASED = "disclosure.erased"
    RETENTION_EXPIRED = "retention.expired"

    @property
    def family(self) -> str:
        """The word before the dot: `rollout` of `rollout.started`."""
        return self.value.partition(".")[0]


ALIASES = {
    "register": Event.RELEASE_REGISTERED,
    "gate-pass": Event.GATE_PASSED,
    "gate-fail": Event.GATE_FAILED,
    "gate-override": Event.GATE_OVERRIDDEN,
    "checkpoint-promote": Event.CHECKPOINT_PROMOTED,
    "checkpoint-hold": Event.CHECKPOINT_HELD,
    "auto-rollback": Event.ROLLBACK_AUTO,
    "manual-rollback": Event.ROLLBACK_MANUAL,
}


def resolve(name: str) -> Event:
    """The event of a name in either vocabulary. Raises `ValueError` for any other word."""
    if name in ALIASES:
        return ALIASES[name]
    try:
        return Event(name)
    except ValueError:
        raise ValueError(f"{name!r} is no event; use a name such as release.registered or gate-pass") from None
