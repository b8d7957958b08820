"""What every step of an override locks, in the order of contracts.md: route, gate run, override; the chain last."""

from datetime import datetime

from audit.models import ChainCheck
from gates.overrides.rules import state_at
from gates.overrides.selectors import cold_start_taken, open_override_of
from gates.run_models import GateRun, Override
from gates.runs.selectors import deciding_run
from relcontrol.accounts.models import Organization, Route
from relcontrol.accounts.selectors import found
from relcontrol.errors import Conflict


def lock_route(organization: Organization, route_id: str) -> None:
    """Overrides of one route are decided one after the other: its cold start can be overridden once only."""
    rows = Route.objects.filter(organization=organization, pk=route_id)
    list(rows.select_for_update(no_key=True, of=("self",)))


def locked_run(key: str) -> GateRun:
    """A gate run, locked and read again, without the results as they came."""
    rows = GateRun.objects.select_related("application", "organization").defer("body")
    return rows.select_for_update(no_key=True, of=("self",)).get(pk=key)


def locked_override(row: Override) -> Override:
    """An override with its run, both locked and read again, after the route that they are about."""
    lock_route(row.organization, row.run.candidate["route_id"])
    run = locked_run(row.run_id)
    rows = Override.objects.filter(organization=row.organization_id).select_related("organization")
    locked = found(rows.select_for_update(no_key=True, of=("self",)), "override", pk=row.pk)
    locked.run = run
    return locked


def locked_open_override(run: GateRun) -> Override | None:
    """The override of a locked run that waits or may be used, locked too."""
    key = open_override_of(run)
    if key is None:
        return None
    rows = Override.objects.filter(pk=key.pk).exclude(state=Override.State.EXPIRED)
    row = rows.select_related("organization").select_for_update(no_key=True, of=("self",)).first()
    if row is not None:
        row.run = run
    return row


def require_pending(row: Override, at: datetime) -> None:
    """Raise `Conflict` with the fresh state unless the override still waits for its decision."""
    state = state_at(row.state, row.expires_at, at)
    if state == Override.State.PENDING:
        return
    said = {
        "expired": "It was not decided in time and has expired. Ask for another one.",
        "active": f"{row.decided_by_label or 'The policy'} has approved it already.",
        "used": "It was approved and has been used.",
        "rejected": f"{row.decided_by_label} has rejected it already.",
        "withdrawn": f"{row.decided_by_label} has withdrawn it.",
    }
    code = "expired" if state == Override.State.EXPIRED else "decided_already"
    raise Conflict(said[state], code=code, state={"override_id": row.pk, "state": state})


def require_same_run(row: Override) -> None:
    """Raise `Conflict` unless the gate run that the override is bound to still decides, as it was."""
    newest = deciding_run(row.organization, row.manifest_sha256)
    if newest is None or newest.pk != row.run_id or newest.gate_run_sha256 != row.run.gate_run_sha256:
        message = "A newer gate run decides on this release now. Look at it, then ask for another override."
        raise Conflict(message, code="gate_run_changed", state={"gate_run_id": newest.pk if newest else None})


def require_intact_chain(organization: Organization) -> None:
    """Raise `Conflict` where the receipt chain does not verify: no override covers missing integrity."""
    problem = ChainCheck.objects.filter(organization=organization).values_list("problem", flat=True).first()
    if problem:
        message = (
            "The receipt chain of this organization does not verify, and no override covers that. Find out why under "
            "Audit first."
        )
        raise Conflict(message, code="integrity", state={"problem": problem})


def require_first_cold_start(organization: Organization, route_id: str, *, besides: str = "") -> None:
    """Raise `Conflict` where the cold start of a route has been overridden before."""
    if cold_start_taken(organization, route_id, besides=besides):
        message = (
            "The first release of this route was let through by an override before, which can be done once for a "
            "route. Register a release that passes its gate."
        )
        raise Conflict(message, code="cold_start_used", state={"route": route_id})
