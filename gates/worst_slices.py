"""The worst slice of each manifest's newest gate run, for lists of releases: one query, without the whole documents."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import F

from gates.run_models import GateRun
from gates.statistics.limits import shown, shown_beside
from relcontrol.accounts.models import Organization


@dataclass(frozen=True, slots=True)
class WorstSlice:
    """What a list says of it: its name and its agreement, which may not have been measured."""

    name: str
    value: str


def worst_slices(organization: Organization, manifests: Iterable[str]) -> dict[str, WorstSlice]:
    """By manifest SHA; a manifest without a run that decided has none."""
    rows = GateRun.objects.filter(
        organization=organization, manifest_sha256__in=list(manifests), state=GateRun.State.DONE, dry_run=False
    )
    newest = rows.order_by("manifest_sha256", "-pk").distinct("manifest_sha256")
    found = newest.annotate(worst=F("document__slices__0")).values_list("manifest_sha256", "worst")
    return {manifest: _shown(worst) for manifest, worst in found if worst}


def _shown(row: Mapping[str, Any]) -> WorstSlice:
    agreement = row["agreement"] or {}
    rho, threshold = agreement.get("rho"), agreement.get("threshold")
    if rho is None:
        return WorstSlice(row["name"], "")
    return WorstSlice(row["name"], shown(rho) if threshold is None else shown_beside(rho, threshold))
