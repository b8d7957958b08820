"""Reading overrides: as lists, by id, of one gate run, and which of them may still be used.

What has lapsed reads as expired at once, whether or not the ticker has written so yet.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from gates.overrides.rules import OPEN, state_at
from gates.run_models import GateRun, Override
from relcontrol.accounts.models import Organization
from relcontrol.accounts.selectors import found


def overrides_of(organization: Organization) -> QuerySet[Override]:
    """Overrides of an organization, newest first, with their runs but not the runs' long columns."""
    rows = Override.objects.filter(organization=organization).select_related("run", "run__application")
    return rows.defer("run__body", "run__document", "run__slices").order_by("-pk")


def override_named(organization: Organization, key: str) -> Override:
    """One override."""
    return found(overrides_of(organization), "override", pk=key)


def overrides_of_manifest(organization: Organization, manifest_sha256: str) -> QuerySet[Override]:
    """The overrides that were asked for of one manifest, newest first."""
    return overrides_of(organization).filter(manifest_sha256=manifest_sha256)


def overrides_in_state(rows: QuerySet[Override], state: str, at: datetime) -> QuerySet[Override]:
    """Those that are in a state now; what has lapsed is expired."""
    lapsed = Q(state__in=OPEN, expires_at__lte=at)
    if state == Override.State.EXPIRED:
        return rows.filter(lapsed | Q(state=state))
    return rows.filter(state=state).exclude(lapsed)


def open_override_of(run: GateRun) -> Override | None:
    """The override of a run that waits or may be used: there is never more than one."""
    return Override.objects.filter(run=run, state__in=OPEN).first()


def waiting_overrides(organization: Organization, at: datetime) -> QuerySet[Override]:
    """Those that wait for an approval, nearest deadline first."""
    rows = overrides_of(organization).filter(state=Override.State.PENDING, expires_at__gt=at)
    return _of_deciding_runs(rows).order_by("expires_at", "pk")


def usable_manifests(organization: Organization, manifests: Iterable[str], at: datetime) -> set[str]:
    """Which of these manifests an active override still lets into one rollout."""
    rows = Override.objects.filter(organization=organization, manifest_sha256__in=list(manifests))
    active = _of_deciding_runs(rows.filter(state=Override.State.ACTIVE, expires_at__gt=at))
    return set(active.values_list("manifest_sha256", flat=True))


def cold_start_taken(organization: Organization, route_id: str, *, besides: str = "") -> bool:
    """Whether a cold start of this route was overridden before: approved, used or lapsed after its approval."""
    approved = Q(state__in=[Override.State.ACTIVE, Override.State.USED])
    lapsed = Q(state=Override.State.EXPIRED, decided_at__isnull=False)
    rows = Override.objects.filter(approved | lapsed, organization=organization, cold_start=True)
    return rows.filter(run__candidate__route_id=route_id).exclude(pk=besides).exists()


def state_of(row: Override, at: datetime) -> str:
    """The state as it is now."""
    return state_at(row.state, row.expires_at, at)


def _of_deciding_runs(rows: QuerySet[Override]) -> QuerySet[Override]:
    """Without those whose run a newer one has replaced."""
    newer = GateRun.objects.filter(
        organization=OuterRef("organization"),
        manifest_sha256=OuterRef("manifest_sha256"),
        state=GateRun.State.DONE,
        dry_run=False,
        pk__gt=OuterRef("run"),
    )
    return rows.filter(~Exists(newer))


def overriding_runs(runs: Iterable[GateRun], at: datetime) -> set[str]:
    """The ids of those of these runs whose override is active or has been used; in one query."""
    keys = [run.pk for run in runs]
    active = Q(state=Override.State.ACTIVE, expires_at__gt=at)
    rows = Override.objects.filter(active | Q(state=Override.State.USED), run__in=keys) if keys else None
    return set(rows.values_list("run_id", flat=True)) if rows is not None else set()
