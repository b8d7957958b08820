"""Below which quality a serving release is taken back (domain.md "Observe"): .85 of what it was let out with.

That is the quality floor by which its newest gate run was decided, or, in a slice whose failure an override accepted,
the level that was accepted: who accepts a level does not want it taken back for lying there. A level of null accepts a
slice in which nothing was measured; there is no floor then. Where the run had graded answers, agreement has one, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gates.run_models import GateRun, Override
from gates.runs.selectors import deciding_run
from releases.models import Release

SHARE: Final = 0.85
GATE: Final = "gate"
OVERRIDE: Final = "override"


@dataclass(frozen=True, slots=True)
class Floor:
    """A slice's floor on [0, 1] and whether it is of the `gate` or an `override`; None where there is none.

    `healthy_mean` is the mean quality that the gate measured, `rho_floor` the lowest agreement with human grades.
    """

    value: float | None = None
    source: str | None = None
    healthy_mean: float | None = None
    rho_floor: float | None = None


def floor_of(release: Release, slug: str) -> Floor:
    """The floor of one slice of a release."""
    return floors_of(release).get(slug, Floor())


def floors_of(release: Release) -> dict[str, Floor]:
    """The floors of all slices that its deciding gate run has; none where it has no such run."""
    run = deciding_run(release.organization, release.manifest_sha256)
    if run is None:
        return {}
    levels = _accepted(run)
    return {row["slice"]: _floor(row, levels) for row in (run.document or {}).get("slices", ())}


def _accepted(run: GateRun) -> Mapping[str, str | None]:
    """The accepted levels of the override by which the release could roll out; of several the newest."""
    let_out = [Override.State.ACTIVE, Override.State.USED]
    rows = Override.objects.filter(run=run, state__in=let_out).order_by("-pk")
    return rows.values_list("accepted_levels", flat=True).first() or {}


def _floor(row: Mapping[str, Any], levels: Mapping[str, str | None]) -> Floor:
    quality, slug = row.get("quality") or {}, row["slice"]
    source = OVERRIDE if slug in levels else GATE
    level = levels[slug] if slug in levels else quality.get("floor")
    return Floor(
        value=None if level is None else SHARE * float(level),
        source=None if level is None else source,
        healthy_mean=quality.get("mean"),
        rho_floor=_rho_floor(row.get("agreement") or {}),
    )


def _rho_floor(agreement: Mapping[str, Any]) -> float | None:
    return SHARE * agreement["threshold"] if agreement.get("graded") else None
