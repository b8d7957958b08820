"""Whether a rollout may start (domain.md "Roll": start needs a gate pass or an active override)."""

from collections.abc import Sequence
from typing import NoReturn

from relcontrol.accounts.actors import Actor
from relcontrol.accounts.permissions import WRITE_ROLLOUTS
from relcontrol.errors import Conflict
from releases.checkpoints import Checkpoint
from releases.deployability import Deployability
from releases.models import Release
from releases.selectors import state_of


def require_deployable(*, actor: Actor, release: Release) -> Deployability:
    """The state of a release that may roll; `Conflict` with every reason for one that may not."""
    actor.require(WRITE_ROLLOUTS)
    state = state_of(release)
    if not state.deployable:
        raise Conflict(
            f"{release.name} ({release.manifest_sha256[:12]}) cannot be rolled out: {' '.join(state.why_not)}",
            code="not_deployable",
            state={"standing": state.standing, "delivery": state.delivery, "why_not": list(state.why_not)},
        )
    return state


def start_rollout(*, actor: Actor, release: Release, plan: Sequence[Checkpoint]) -> NoReturn:
    """Check everything that a start needs, then say that this version starts no rollouts. The one way for all faces."""
    require_deployable(actor=actor, release=release)
    raise Conflict(
        f"{release.name} may roll, but this version of relcontrol starts no rollouts; its {len(plan)} checkpoints "
        "were checked and nothing was changed.",
        code="rollouts_unavailable",
    )
