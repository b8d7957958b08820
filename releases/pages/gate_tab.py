"""The Gate and Overrides tabs of a release's page: what its gate runs found, and what was decided against them."""

from typing import Any, Final

from gates.overrides.selectors import overrides_of_manifest
from gates.pages.runs.listing import first_command, light, run_rows
from gates.pages.runs.paths import address_if_there
from gates.pages.runs.slice_rows import slice_rows
from gates.run_models import GateRun
from gates.runs.selectors import runs_of_manifest
from gates.scorecards.headline import headline
from relcontrol.accounts.permissions import REQUEST_OVERRIDES, WRITE_GATES, WRITE_ROLLOUTS, Denied, Permission
from relcontrol.web.pages import PageRequest
from releases.deployability import Deployability
from releases.models import Release

RUNS_SHOWN: Final = 20
SLICES_SHOWN: Final = 12
OVERRIDES_SHOWN: Final = 50


def gate_tab(request: PageRequest, row: Release, run: GateRun | None) -> dict[str, Any]:
    """The run that decides with its worst slices, and every run of this manifest."""
    runs = list(light(runs_of_manifest(row.organization, row.manifest_sha256))[:RUNS_SHOWN])
    context: dict[str, Any] = {
        "rows": run_rows(runs),
        "first_command": first_command(request, row.pk),
        "evaluate_url": _address(request, WRITE_GATES, "release-evaluate", row),
    }
    if run is None or run.document is None:
        return context
    return context | {
        "run": run,
        "told": headline(run.document, release=run.release_name),
        "slice_rows": slice_rows(run.document["slices"][:SLICES_SHOWN]),
        "slice_count": len(run.document["slices"]),
    }


def overrides_tab(row: Release) -> dict[str, Any]:
    """What was asked for against the gate, newest first."""
    return {"overrides": overrides_of_manifest(row.organization, row.manifest_sha256)[:OVERRIDES_SHOWN]}


def actions(request: PageRequest, row: Release, state: Deployability) -> dict[str, Any]:
    """What may be done now, as addresses, each only for those who may."""
    stopped = row.delivery == Release.Delivery.REGISTERED and state.standing in ("fail", "hold")
    return {
        "why_not": state.why_not,
        "override_url": _address(request, REQUEST_OVERRIDES, "override-request", row) if stopped else "",
        "roll_url": _address(request, WRITE_ROLLOUTS, "release-roll", row) if state.deployable else "",
    }


def _address(request: PageRequest, permission: Permission, name: str, row: Release) -> str:
    if isinstance(request.actor.may(permission), Denied):
        return ""
    return address_if_there(request, name, release=row.pk)
