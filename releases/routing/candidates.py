"""The share of a route that its open rollout gives to the candidate, as gateways read it (domain.md "Roll").

The rule is that of `releases.rollouts.states.Rollout.basis_points`: held or not, a checkpoint keeps its share; in the
shadow, checkpoint 0, the candidate answers nobody and gets copies.
"""

from typing import Any

from releases.bucketing import BASIS_POINTS_PER_PERCENT
from releases.rollout_models import Rollout


def candidate_of(row: Rollout) -> dict[str, Any]:
    """The candidate of a rollout that is not over; the rollout's id is the salt for all its checkpoints."""
    in_shadow = row.checkpoint == 0
    return {
        "release": row.release.manifest_sha256,
        "rollout": row.pk,
        "salt": row.pk,
        "basis_points": 0 if in_shadow else row.plan[row.checkpoint - 1]["percent"] * BASIS_POINTS_PER_PERCENT,
        "shadow_basis_points": row.settings["shadow_basis_points"] if in_shadow else 0,
    }
