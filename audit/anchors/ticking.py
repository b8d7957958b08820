"""The ticker's part in anchoring: for each organization with a sink, whether a checkpoint is due, and to make it."""

import logging
from datetime import datetime

from django.db.models import Count, F, Min, Q

from audit.anchor_models import Anchor, AnchorSchedule, AnchorSink, Checkpoint
from audit.anchors.checkpoints import open_checkpoint
from audit.anchors.scheduling import PROMOTIONS, ROLLBACKS, Growth, Schedule, due
from audit.anchors.selectors import newest_checkpoint, schedule_of, unanchored
from audit.models import ChainHead
from relcontrol.accounts.models import Organization
from relcontrol.jobs.models import LeasedJob

logger = logging.getLogger(__name__)

LIVE = (LeasedJob.State.QUEUED, LeasedJob.State.RUNNING, LeasedJob.State.DONE)


def tick_anchors(now: datetime) -> None:
    """One look at every log; what fails for one organization keeps no other waiting."""
    owners = Organization.objects.filter(anchor_sinks__enabled=True).distinct().order_by("pk")
    for organization in owners:
        try:
            tick_log(organization, now)
        except Exception:
            logger.exception("the log of %s could not be given to its anchors", organization.slug)


def tick_log(organization: Organization, now: datetime) -> Checkpoint | None:
    """Make a checkpoint where one is due."""
    newest = newest_checkpoint(organization)
    reason = due(_schedule(schedule_of(organization)), _growth(organization, newest), now)
    return open_checkpoint(organization=organization, reason=reason, at=now) if reason else None


def _schedule(row: AnchorSchedule) -> Schedule:
    return Schedule(row.every_receipts, row.every_minutes, row.on_promotion, row.on_rollback)


def _growth(organization: Organization, newest: Checkpoint | None) -> Growth:
    """What the chain has grown by; nothing is counted where the head has not moved or a sink waits for its first."""
    size, made_at = (newest.size, newest.created_at) if newest else (0, None)
    head = ChainHead.objects.values_list("seq", flat=True).get(organization=organization)
    untried = head > 0 and _untried(organization, newest)
    if untried or head <= size:
        return Growth(0, None, promoted=False, rolled_back=False, checkpoint_at=made_at, untried=untried)
    found = (
        unanchored(organization, size)
        .order_by()
        .aggregate(
            receipts=Count("pk"),
            oldest=Min("issued_at"),
            promotions=Count("pk", filter=Q(event__in=PROMOTIONS)),
            rollbacks=Count("pk", filter=Q(event__in=ROLLBACKS)),
        )
    )
    return Growth(
        receipts=found["receipts"],
        oldest_at=found["oldest"],
        promoted=found["promotions"] > 0,
        rolled_back=found["rollbacks"] > 0,
        checkpoint_at=made_at,
    )


def _untried(organization: Organization, newest: Checkpoint | None) -> bool:
    """Whether a sink that is switched on has not been given the newest checkpoint with the settings that it has."""
    sinks = AnchorSink.objects.filter(organization=organization, enabled=True)
    if newest is not None:
        given = Anchor.objects.filter(checkpoint=newest, state__in=LIVE)
        changed = given.filter(trust__isnull=False).exclude(trust__settings=F("sink__settings"))
        sinks = sinks.exclude(pk__in=given.exclude(pk__in=changed.values("pk")).values("sink"))
    return sinks.exists()
