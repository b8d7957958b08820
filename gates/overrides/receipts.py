"""What the chain says of an override: each of its steps, bound to manifest and gate run by one digest."""

from typing import Any, Final

from audit.chain import timestamp
from audit.events import Event
from audit.receipts import Record, append
from audit.statement import DecisionInput, Policy, ReleaseRef
from audit.statement import Override as OverrideClaim
from audit.weights.standing import claim_of as weights_now
from gates.run_models import GateRun, Override
from gates.runs.document import decision_inputs
from relcontrol.accounts.actors import Actor

OUTCOMES: Final = {
    Event.OVERRIDE_REQUESTED: "requested",
    Event.OVERRIDE_REJECTED: "rejected",
    Event.OVERRIDE_WITHDRAWN: "withdrawn",
    Event.OVERRIDE_EXPIRED: "expired",
    Event.GATE_OVERRIDDEN: "overridden",
}


def append_step(actor: Actor, event: Event, row: Override) -> None:
    """The receipt of what has just become of an override; its reason stays there in clear."""
    run, pinned = row.run, row.run.policy
    append(
        actor,
        Record(
            event=event,
            outcome=OUTCOMES[event],
            kind="override",
            name=row.pk,
            application=run.application.slug,
            release=ReleaseRef(row.manifest_sha256),
            policy=Policy(pinned["id"], pinned["revision"], pinned["sha256"]),
            inputs=overridden_inputs(run),
            override=claim_of(row),
            weights=weights_now(run.organization, {"model": run.candidate["model"]}),
            meaning=OUTCOMES[event] if event is not Event.GATE_OVERRIDDEN else "approved",
            state=_state(row),
            personal=_names(row),
        ),
    )


def _names(row: Override) -> dict[str, str]:
    """Both persons by name, for the report; each with a commitment of its own, so that it can be erased alone."""
    decided = {"decided_by_name": row.decided_by_label} if row.decided_by_label else {}
    return {"requested_by_name": row.requested_by_label, **decided}


def claim_of(row: Override) -> OverrideClaim:
    """An override as receipts name it; that of the rollout which uses it carries the same."""
    approved = row.state in (Override.State.ACTIVE, Override.State.USED) or (
        row.state == Override.State.EXPIRED and row.decided_at is not None
    )
    return OverrideClaim(
        gate_override_sha256=row.gate_override_sha256,
        slices=list(row.slices),
        accepted_levels=dict(row.accepted_levels),
        reason=row.reason,
        requested_by=row.requested_by,
        approved_by=(row.decided_by or None) if approved else None,
        expires_at=timestamp(row.expires_at),
    )


def overridden_inputs(run: GateRun) -> list[DecisionInput]:
    """What the gate has found against the release: everything that does not pass, worst first."""
    return [each for each in decision_inputs(run.document or {}) if each.verdict != "pass"]


def _state(row: Override) -> dict[str, Any]:
    return {
        "id": row.pk,
        "state": row.state,
        "run": row.run_id,
        "gate_run_sha256": row.run.gate_run_sha256,
        "gate_override_sha256": row.gate_override_sha256,
        "slices": list(row.slices),
        "accepted_levels": dict(row.accepted_levels),
        "cold_start": row.cold_start,
        "comment": row.comment,
        "decided_by": row.decided_by or None,
        "expires_at": timestamp(row.expires_at),
    }
