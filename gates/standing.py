"""The standing of a manifest: what its gate runs and overrides say of it (contracts.md "States").

It is derived, and stored nowhere else: from the newest run that decided, from the sign-offs of what that run left for
review, and from an override of that very run. The functions for lists take as many queries as those for one.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from gates.overrides.selectors import overriding_runs
from gates.reviews.sign_offs import signed_runs
from gates.run_models import GateRun, Override
from gates.runs.selectors import deciding_run
from relcontrol.accounts.models import Organization
from relcontrol.clock import now
from relcontrol.jobs.models import LeasedJob


class Standing(StrEnum):
    """What quality says of a manifest."""

    NONE = "none"
    RUNNING = "running"
    PASS = "pass"  # noqa: S105 - a verdict
    HOLD = "hold"
    FAIL = "fail"
    OVERRIDDEN = "overridden"


OF_VERDICT = {
    GateRun.Verdict.PASS: Standing.PASS,
    GateRun.Verdict.HOLD: Standing.HOLD,
    GateRun.Verdict.FAIL: Standing.FAIL,
}


def standings_of(organization: Organization, manifests: Iterable[str]) -> dict[str, Standing]:
    """The standing of each of these manifest SHAs, for lists."""
    wanted = list(manifests)
    runs = _deciding(organization, wanted)
    stopped = [run for run in runs.values() if run.verdict != GateRun.Verdict.PASS]
    overridden, signed = overriding_runs(stopped, now()), signed_runs(stopped)
    running = _running(organization, [manifest for manifest in wanted if manifest not in runs])
    return {manifest: _standing(manifest, runs.get(manifest), overridden, signed, running) for manifest in wanted}


def standing_of(organization: Organization, manifest_sha256: str) -> Standing:
    """The standing of one manifest."""
    return standings_of(organization, [manifest_sha256])[manifest_sha256]


def decided_at(organization: Organization, manifest_sha256: str) -> datetime | None:
    """When the standing of a manifest was last decided: by its run, a sign-off of it, or an override of it."""
    run = deciding_run(organization, manifest_sha256)
    if run is None:
        return None
    used = Override.objects.filter(run=run, state__in=[Override.State.ACTIVE, Override.State.USED])
    times = [run.finished_at, *run.sign_offs.values_list("signed_at", flat=True)]
    times += [decided or requested for decided, requested in used.values_list("decided_at", "requested_at")]
    return max((at for at in times if at is not None), default=None)


def _standing(
    manifest: str, run: GateRun | None, overridden: set[str], signed: set[str], running: set[str]
) -> Standing:
    if run is None:
        return Standing.RUNNING if manifest in running else Standing.NONE
    if run.pk in overridden:
        return Standing.OVERRIDDEN
    return Standing.PASS if run.pk in signed else OF_VERDICT[GateRun.Verdict(run.verdict)]


def _deciding(organization: Organization, manifests: list[str]) -> dict[str, GateRun]:
    """The newest run of each manifest that is done and not dry."""
    rows = GateRun.objects.filter(
        organization=organization, manifest_sha256__in=manifests, state=LeasedJob.State.DONE, dry_run=False
    )
    newest = rows.order_by("manifest_sha256", "-pk").distinct("manifest_sha256")
    return {run.manifest_sha256: run for run in newest.only("manifest_sha256", "verdict")}


def _running(organization: Organization, manifests: list[str]) -> set[str]:
    rows = GateRun.objects.filter(
        organization=organization,
        manifest_sha256__in=manifests,
        state__in=[LeasedJob.State.QUEUED, LeasedJob.State.RUNNING],
        dry_run=False,
    )
    return set(rows.values_list("manifest_sha256", flat=True))
