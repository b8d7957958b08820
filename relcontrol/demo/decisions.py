"""The demo's decisions: the gate runs, the override of the cold start, and one that waits for approval.

The acting people are those of the demo; their receipts say that it was a command that acted for them.
"""

import json
from collections.abc import Sequence

from gates.overrides.deciding import approve
from gates.overrides.requesting import request_override
from gates.runs.order import RunOrder
from gates.runs.requesting import carry_out, request_run
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Membership, Organization
from relcontrol.clock import now
from relcontrol.demo.results import FAILED, FIRST, JUDGE, PASSED, results_of
from relcontrol.jobs.models import LeasedJob
from releases.candidates import candidate_of
from releases.models import Release

MANAGER, APPROVER = "manager@demo", "approver@demo"
COLD_START = (
    "First release of this route: there is nothing to compare with yet. Six experts read every answer of the suite in "
    "October, and the route opens to the firm's own lawyers only."
)
DEADLINE = (
    "r3 carries the corrected limitation periods that Belgian clients need before 1 December. IP licensing questions "
    "have gone to the drafting team by hand since 3 November (CHG-2291). We mend the prompt and gate r4 by Tuesday."
)


def make_decisions(actor: Actor, *, first: Release, passed: Release, failed: Release, ready: Sequence[Release]) -> None:
    """Gate the three releases, then ask for the overrides.

    Those that are ready were answered in the tests as the one that passed: how they fail shows in life only.
    """
    for release, which in ((first, FIRST), (passed, PASSED), (failed, FAILED), *((each, PASSED) for each in ready)):
        _gate(actor, release, which)
    manager, approver = acting(actor.organization, MANAGER), acting(actor.organization, APPROVER)
    cold = request_override(actor=manager, candidate=candidate_of(first), force=True, reason=COLD_START)
    approve(
        actor=approver, override=cold, comment="Agreed: the answers were read one by one, and nobody outside sees it."
    )
    request_override(actor=manager, candidate=candidate_of(failed), force=True, reason=DEADLINE)


def _gate(actor: Actor, release: Release, which: int) -> None:
    body = {"judge": JUDGE, "parity": release.bundle_sha256, "results": results_of(which)}
    order = RunOrder(judge=JUDGE, parity=release.bundle_sha256)
    run = request_run(
        actor=actor,
        candidate=candidate_of(release),
        order=order,
        body=json.dumps(body).encode(),
        results=len(body["results"]),
    )
    run = carry_out(run)
    if run.state != LeasedJob.State.DONE:
        raise RuntimeError(f"the demo's gate run was not carried out: {run.problem}")


def acting(organization: Organization, email: str) -> Actor:
    """A person of the demo, for whom this command acts."""
    membership = Membership.objects.get(organization=organization, person__email=email)
    return Actor(
        organization=organization,
        kind="person",
        auth="command",
        person=membership.person,
        roles=membership.roles,
        proved_at=now(),
    )
