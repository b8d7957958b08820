"""What in the gate waits for a person: only what she may act on, and nothing that she asked for herself."""

from datetime import datetime, timedelta
from typing import Final, TypeVar

from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from gates.overrides.selectors import waiting_overrides
from gates.reviews.allowlist import entries_of
from gates.reviews.items import Finding, reviews_in
from gates.run_models import AllowlistEntry, GateRun, Override
from gates.runs.selectors import deciding_runs
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Organization, Token
from relcontrol.accounts.permissions import APPROVE_OVERRIDES, REQUEST_OVERRIDES, REVIEW_GATES, Allowed, Permission

COUNTS_FOR: Final = timedelta(days=7)
SHOWN: Final = 10

Row = TypeVar("Row", bound=Model)


def overrides_for(actor: Actor, at: datetime) -> list[Override]:
    """Overrides that this person may decide on, nearest deadline first."""
    if not _may(actor, APPROVE_OVERRIDES):
        return []
    return list(_asked_by_others(waiting_overrides(actor.organization, at), actor, "requested_by")[:SHOWN])


def reviews_for(actor: Actor, at: datetime) -> list[tuple[GateRun, list[Finding]]]:
    """Held runs of the last week with what of them this person may sign off."""
    if not _may(actor, REVIEW_GATES):
        return []
    held = _stopped(actor.organization, at).filter(verdict=GateRun.Verdict.HOLD)
    rows = _asked_by_others(held, actor, "requested_by").prefetch_related("sign_offs")[:SHOWN]
    waiting = [(run, _open_reviews(run)) for run in rows]
    return [(run, findings) for run, findings in waiting if findings]


def proposals_for(actor: Actor, at: datetime) -> list[AllowlistEntry]:
    """Allowlist entries that wait for this person as the second reviewer."""
    if not _may(actor, REVIEW_GATES):
        return []
    open_still = Q(until__isnull=True) | Q(until__gt=at)
    proposed = entries_of(actor.organization).filter(open_still, state=AllowlistEntry.State.PROPOSED)
    return list(_asked_by_others(proposed, actor, "proposed_by")[:SHOWN])


def failed_runs_for(actor: Actor, at: datetime) -> list[GateRun]:
    """Failed runs of the last week about which nobody has asked for an override yet, for those who may."""
    if not _may(actor, REQUEST_OVERRIDES):
        return []
    return list(_stopped(actor.organization, at).filter(verdict=GateRun.Verdict.FAIL)[:SHOWN])


def _stopped(organization: Organization, at: datetime) -> QuerySet[GateRun]:
    """Runs that decide, are the newest of their manifests, and were not put to an override that counts."""
    newer = deciding_runs(organization).filter(manifest_sha256=OuterRef("manifest_sha256"), pk__gt=OuterRef("pk"))
    ended = [Override.State.EXPIRED, Override.State.WITHDRAWN]
    overrides = Override.objects.filter(run=OuterRef("pk")).exclude(state__in=ended)
    rows = deciding_runs(organization).filter(finished_at__gte=at - COUNTS_FOR)
    return rows.filter(~Exists(newer), ~Exists(overrides))


def _open_reviews(run: GateRun) -> list[Finding]:
    signed = {item for row in run.sign_offs.all() for item in row.items}
    return [finding for finding in reviews_in(run.document) if finding.item not in signed]


def _asked_by_others(rows: QuerySet[Row], actor: Actor, column: str) -> QuerySet[Row]:
    """Without what this person asked for, or a service with a token of her making."""
    own = Token.objects.filter(organization=actor.organization, created_by=actor.id)
    return rows.exclude(**{column: actor.id}).exclude(**{f"{column}__in": own.values("pk")})


def _may(actor: Actor, permission: Permission) -> bool:
    return isinstance(actor.may(permission), Allowed)
