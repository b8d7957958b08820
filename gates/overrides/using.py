"""Using an override up: it lets one rollout start, in the transaction of that start."""

from django.db import transaction

from gates.run_models import Override
from gates.runs.selectors import deciding_run
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.permissions import WRITE_ROLLOUTS
from relcontrol.clock import now
from relcontrol.errors import Conflict


@transaction.atomic
def use_override(*, actor: Actor, manifest_sha256: str) -> Override:
    """Mark the active override of a manifest as used; `Conflict` where there is none.

    The caller has locked route and release. Its receipt names the override (`receipts.claim_of`).
    """
    actor.require(WRITE_ROLLOUTS)
    at, run = now(), deciding_run(actor.organization, manifest_sha256)
    rows = Override.objects.filter(run=run, state=Override.State.ACTIVE, expires_at__gt=at)
    row = rows.select_related("organization", "run").select_for_update(no_key=True, of=("self",)).first()
    if row is None:
        message = "No unused override of its newest gate run is active. Ask for one, or release what passes the gate."
        raise Conflict(message, code="no_active_override", state={"manifest_sha256": manifest_sha256})
    row.state, row.used_at = Override.State.USED, at
    row.save(update_fields=["state", "used_at"])
    return row
