"""The scored pairs of a checkpoint as the sums that the quality monitor judges (statistics.md R15).

Pairs count in the order in which they were chosen, up to the monitor's cap: those that were chosen later to make up
for unusable ones are no second chance. A watched slice without any pair has empty sums, which hold the rollout back.
"""

from collections.abc import Mapping
from typing import Final

from releases.monitors.quality import CAP
from releases.monitors.quality_sums import TOLERANCE, QualitySums
from releases.rollout_models import ReplayPair, Rollout

COLUMNS: Final = ("slice", "state", "candidate_score", "stable_score")


def quality_sums(row: Rollout, checkpoint: int, tolerances: Mapping[str, float]) -> dict[str, QualitySums]:
    """The sums of every watched slice and of every other one that has pairs, by slug.

    `tolerances` holds how far the mean of a slice may drop where an override moved it (`Rollout.settings`).
    """
    general = float(row.settings.get("tolerance", TOLERANCE))
    differences: dict[str, list[float]] = {slug: [] for slug in row.settings.get("slices", ())}
    unusable: dict[str, int] = {}
    ended = (ReplayPair.State.SCORED, ReplayPair.State.UNUSABLE)
    pairs = ReplayPair.objects.filter(rollout=row, checkpoint=checkpoint, state__in=ended).order_by("pk")
    for slug, state, candidate, stable in pairs.values_list(*COLUMNS):
        known = differences.setdefault(slug, [])
        if state == ReplayPair.State.UNUSABLE or candidate is None or stable is None:
            unusable[slug] = unusable.get(slug, 0) + 1
        elif len(known) < CAP:
            known.append(candidate - stable)
    return {
        slug: QualitySums.of(
            [*known, *([None] * unusable.get(slug, 0))], tolerance=float(tolerances.get(slug, general))
        )
        for slug, known in sorted(differences.items())
    }
