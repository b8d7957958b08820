"""The numbers by which one rollout is judged, pinned at its start (domain.md "Roll"; statistics.md R11-R15).

A slice whose drop an override accepted gets a wider tolerance, so that the accepted regression is not halted again: the
candidate may lie `TOLERANCE` below the accepted level, wherever stable lies.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db.models import Q

from gates.models import Slice
from gates.run_models import GateRun
from relcontrol.accounts.models import Application, Route
from relcontrol.bundle.canonical import sha256_hex
from releases.measuring.policy_definition import pinned_policies
from releases.monitors import error_rate, latency
from releases.monitors.quality_sums import TOLERANCE
from releases.weights.drift import HALT

SCHEMA: Final = "relcontrol/rollout-settings/v1"
MONITORS: Final = ("errors", "latency", "quality")
SHADOW_BASIS_POINTS: Final = 1_000
WIDEST_TOLERANCE: Final = 0.95

Settings = dict[str, Any]


def settings_for(
    *,
    route: Route,
    run: GateRun | None,
    accepted_levels: Mapping[str, str | None],
    dry: Sequence[str],
    weights_drift: str = HALT,
) -> Settings:
    """The settings of a rollout that starts now. `weights_drift` is one of `releases.weights.drift.ON_DRIFT`."""
    return {
        "limits": {"errors": error_rate.LIMIT, "latency": latency.LIMIT},
        "tolerance": TOLERANCE,
        "tolerances": accepted_tolerances((run.document or {}) if run else {}, accepted_levels),
        "alarm": "rollout",
        "dry": sorted(set(dry)),
        "weights_drift": weights_drift,
        "shadow_basis_points": SHADOW_BASIS_POINTS,
        "slices": watched_slices(route.application),
        "policies": pinned_policies(route),
    }


def settings_sha256(settings: Settings) -> str:
    """The digest that receipts carry as the policy that held; numbers stand in it as text."""
    return sha256_hex({"schema": SCHEMA, **_without_floats(settings)})


def watched_slices(application: Application) -> list[str]:
    """The slices whose live quality is compared: those with a threshold that traces can belong to."""
    mine = Q(application=None) | Q(application=application)
    rows = Slice.objects.filter(mine, organization=application.organization, threshold__isnull=False)
    matched = rows.filter(match__isnull=False).order_by("slug").values_list("slug", "match")
    return [slug for slug, rule in matched if rule and "judge" not in rule]  # no judge classifies traces yet


def accepted_tolerances(document: Mapping[str, Any], levels: Mapping[str, str | None]) -> dict[str, float]:
    """The tolerance of each slice whose drop was accepted; a level of null leaves the plain one (domain.md)."""
    stable = _stable_levels(document)
    widened = {
        slug: min(WIDEST_TOLERANCE, max(TOLERANCE, stable[slug] - float(level) + TOLERANCE))
        for slug, level in levels.items()
        if level is not None and slug in stable
    }
    return dict(sorted(widened.items()))


def _stable_levels(document: Mapping[str, Any]) -> dict[str, float]:
    """What the gate measured of the previous release: the candidate's mean without the difference."""
    levels = {}
    for row in document.get("slices", ()):
        quality, change = row.get("quality") or {}, row.get("change") or {}
        mean, difference = quality.get("mean"), change.get("mean_difference")
        if mean is not None and difference is not None:
            levels[row["slice"]] = mean - difference
    return levels


def _without_floats(value: Any) -> Any:
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, Mapping):
        return {key: _without_floats(each) for key, each in value.items()}
    return [_without_floats(each) for each in value] if isinstance(value, list) else value
