"""What the chain says of a rollout: each of its moves, with the numbers that it was decided by."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from audit.chain import timestamp
from audit.models import Receipt
from audit.receipts import Record, append
from audit.statement import DecisionInput, Delivery, Override, Policy, ReleaseRef, UnnamedWeights, Weights
from audit.weights.standing import claim_of
from relcontrol.accounts.actors import Actor
from relcontrol.bundle.refs import parse_model_ref
from releases.models import Release
from releases.rolling.settings import settings_sha256
from releases.rollout_models import Rollout
from releases.rollouts.decisions import Decision
from releases.selectors import manifest_of

SETTINGS: Final = "rollout-settings"


def append_move(
    actor: Actor,
    row: Rollout,
    decision: Decision,
    *,
    at: datetime,
    delivery: Delivery,
    routing_generation: int | None = None,
    inputs: Sequence[DecisionInput] = (),
    override: Override | None = None,
) -> Receipt:
    """The receipt of one move of a rollout, decided `at`; the row already says what it became.

    `routing_generation` is the one by which gateways learn of it; None where they need not.
    """
    if decision.event is None:
        raise ValueError(f"{decision.act} leaves no receipt")
    return append(
        actor,
        Record(
            event=decision.event,
            outcome=decision.act.value,
            kind="rollout",
            name=row.pk,
            application=row.application.slug,
            release=ReleaseRef(row.release.manifest_sha256, row.release_id, row.route_id),
            delivery=delivery,
            policy=Policy(SETTINGS, 1, settings_sha256(row.settings)),
            inputs=inputs,
            override=override,
            weights=claimed_weights(row.release),
            meaning="decided" if actor.kind == "person" else "recorded",
            state=_state(row, decision) | {"routing_generation": routing_generation},
            occurred_at=at,
        ),
    )


def claimed_weights(release: Release) -> Weights:
    """What the manifest claims of its weights; that of one which is not what was registered counts for nothing."""
    if hashlib.sha256(bytes(release.manifest)).hexdigest() != release.manifest_sha256:
        ref = parse_model_ref(release.model_ref)
        return UnnamedWeights(provider=ref.endpoint or ref.scheme, model=ref.name)
    return claim_of(release.organization, manifest_of(release))


def _state(row: Rollout, decision: Decision) -> dict[str, Any]:
    return {
        "id": row.pk,
        "route": row.route_id,
        "manifest_sha256": row.release.manifest_sha256,
        "previous_release": row.previous.manifest_sha256 if row.previous else None,
        "plan": row.plan,
        "state": row.state,
        "checkpoint": row.checkpoint,
        "entered_at": timestamp(row.entered_at),
        "generation": row.entered_generation,
        "extensions": row.extensions,
        "version": row.version,
        "reasons": list(decision.reasons),
        "settings_sha256": settings_sha256(row.settings),
    }
