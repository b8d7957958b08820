"""Asking for an override of a failed or held gate run (domain.md "Override").

Both structural fields are there or nothing is. The request is bound to the digests of manifest and gate run before
anybody approves it, and it expires whether or not anybody does.
"""

from datetime import datetime
from typing import Any

from django.db import transaction

from audit.events import Event
from gates.overrides.expiring import expire
from gates.overrides.locking import (
    lock_route,
    locked_open_override,
    locked_run,
    require_first_cold_start,
    require_intact_chain,
)
from gates.overrides.receipts import append_step
from gates.overrides.rules import Terms, override_document, override_sha256, read_statement, read_terms, state_at
from gates.run_models import GateRun, Override
from gates.runs.candidate import Candidate
from gates.runs.selectors import deciding_run
from gates.second_person import require_decider
from gates.standing import Standing, standing_of
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.permissions import REQUEST_OVERRIDES
from relcontrol.clock import now
from relcontrol.errors import Conflict


@transaction.atomic
def request_override(
    *,
    actor: Actor,
    candidate: Candidate,
    force: object,
    reason: object,
    slices: object = None,
    accepted_levels: object = None,
    expires_in_seconds: object = None,
) -> Override:
    """Ask that a manifest may roll although its gate stops it; active at once where policy wants no second person.

    `slices` must be all that stop it, which is also the default; `accepted_levels` replace the measured lower bounds.
    """
    actor.require(REQUEST_OVERRIDES)
    said, at = read_statement(force, reason), now()
    lock_route(actor.organization, candidate.route_id)
    run = _stopped_run(actor, candidate)
    rules = run.policy["definition"]
    terms = read_terms(
        document=run.document or {},
        hours=rules["override_hours"],
        slices=slices,
        levels=accepted_levels,
        seconds=expires_in_seconds,
    )
    _require_free(run, at)
    require_intact_chain(actor.organization)
    if candidate.previous_manifest_sha256 is None:
        require_first_cold_start(actor.organization, candidate.route_id)
    if not rules["second_person"]:
        require_decider(actor, REQUEST_OVERRIDES, at)
    row = _write(actor, candidate, run, terms, said, at)
    append_step(actor, Event.OVERRIDE_REQUESTED, row)
    return row if rules["second_person"] else _activate(actor, row, at)


def _stopped_run(actor: Actor, candidate: Candidate) -> GateRun:
    """The run that stops this manifest, locked; `Conflict` where nothing does."""
    organization, manifest = actor.organization, candidate.manifest_sha256
    newest = deciding_run(organization, manifest)
    if newest is None:
        message = f"No gate run has judged {candidate.name} yet. Only the verdict of one can be overridden."
        raise Conflict(message, code="nothing_to_override", state={"gate_run_id": None})
    run = locked_run(newest.pk)
    if run.verdict == GateRun.Verdict.PASS or standing_of(organization, manifest) is Standing.PASS:
        message = f"{candidate.name} has passed its gate, so there is nothing to override: roll it out."
        raise Conflict(message, code="nothing_to_override", state={"gate_run_id": run.pk})
    return run


def _require_free(run: GateRun, at: datetime) -> None:
    """One open override for a run: what has lapsed makes room, what waits or holds does not."""
    known = locked_open_override(run)
    if known is None:
        return
    if state_at(known.state, known.expires_at, at) == Override.State.EXPIRED:
        expire(known)
        return
    state: dict[str, Any] = {"override_id": known.pk, "state": known.state}
    message = f"There is an override of this gate run already ({known.pk}): {known.get_state_display().lower()}."
    raise Conflict(message, code="override_open", state=state)


def _write(actor: Actor, candidate: Candidate, run: GateRun, terms: Terms, reason: str, at: datetime) -> Override:
    expires_at = at + terms.lifetime
    document = override_document(
        manifest_sha256=candidate.manifest_sha256,
        gate_run_sha256=run.gate_run_sha256,
        terms=terms,
        reason=reason,
        requested_by=actor.id,
        requested_at=at,
        expires_at=expires_at,
    )
    return Override.objects.create(
        organization=actor.organization,
        run=run,
        manifest_sha256=candidate.manifest_sha256,
        gate_override_sha256=override_sha256(document),
        slices=list(terms.slices),
        accepted_levels=dict(terms.accepted_levels),
        reason=reason,
        cold_start=candidate.previous_manifest_sha256 is None,
        requested_by=actor.id,
        requested_by_label=actor.label,
        requested_at=at,
        expires_at=expires_at,
    )


def _activate(actor: Actor, row: Override, at: datetime) -> Override:
    """Where policy asks for no second person, the request is the decision; nobody is named as approver."""
    row.state, row.decided_at = Override.State.ACTIVE, at
    row.save(update_fields=["state", "decided_at"])
    append_step(actor, Event.GATE_OVERRIDDEN, row)
    return row
