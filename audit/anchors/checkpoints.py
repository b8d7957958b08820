"""Making a checkpoint and giving it to every sink that is switched on: rows only, nothing here talks to anybody.

The organization's schedule row is the lock: two who want a checkpoint at once make one. The chain head is not locked,
so no decision waits for this.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import F

from audit.anchor_models import Anchor, AnchorSchedule, AnchorSink, Checkpoint
from audit.anchors import release_heads
from audit.anchors.scheduling import Reason
from audit.anchors.selectors import newest_checkpoint, unanchored
from audit.log.heads import signed_head
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Organization
from relcontrol.accounts.permissions import ADMINISTER
from relcontrol.clock import now
from relcontrol.errors import Conflict
from relcontrol.jobs.leases import cancel
from relcontrol.jobs.models import LeasedJob
from relcontrol.jobs.wake import wake_on_commit

JOB = "anchor"
ENDED = (LeasedJob.State.CANCELLED, LeasedJob.State.ERROR)
SWITCHED_OFF = {"code": "switched_off", "detail": "The sink was switched off or changed."}
KEY_REVOKED = {"code": "key_revoked", "detail": "The key that signed its checkpoint was revoked before it was made."}
OVERTAKEN = {"code": "overtaken", "detail": "A later checkpoint has taken its place."}


def anchor_now(*, actor: Actor, if_new: bool = False) -> Checkpoint:
    """Anchor what there is now, whatever the schedule says; sinks that are being left alone are tried at once.

    `if_new`: the newest checkpoint instead where it covers every receipt but those of anchors.
    """
    actor.require(ADMINISTER)
    if not AnchorSink.objects.filter(organization=actor.organization, enabled=True).exists():
        raise Conflict("No sink is switched on. Add one in the settings: somebody outside must hold the head.")
    newest = newest_checkpoint(actor.organization)
    if if_new and newest and not unanchored(actor.organization, newest.size).exists():
        return newest
    return open_checkpoint(organization=actor.organization, reason="asked", at=now())


def give_up_waiting(at: datetime) -> None:
    """Anchor nothing any more that waits: the log's key is revoked, and no verifier would believe its checkpoint.

    What is being made is waited for. The revocation leaves a receipt, so a checkpoint by the next key follows.
    """
    waiting = Anchor.objects.filter(state__in=[LeasedJob.State.QUEUED, LeasedJob.State.RUNNING])
    waiting.update(problem=KEY_REVOKED)
    cancel(waiting, at)


@transaction.atomic
def open_checkpoint(*, organization: Organization, reason: Reason, at: datetime) -> Checkpoint:
    """The signed head of the log as it is now, given to all sinks that are switched on."""
    locked_schedule(organization)
    checkpoint = _checkpoint(organization, reason, at)
    for sink in AnchorSink.objects.filter(organization=organization, enabled=True).order_by("pk"):
        _give(checkpoint, sink, at)
    return checkpoint


def locked_schedule(organization: Organization) -> AnchorSchedule:
    """The schedule's row, made where there is none, and held to the end of this transaction."""
    AnchorSchedule.objects.bulk_create([AnchorSchedule(organization=organization)], ignore_conflicts=True)
    return AnchorSchedule.objects.select_for_update(no_key=True).get(organization=organization)


def _checkpoint(organization: Organization, reason: Reason, at: datetime) -> Checkpoint:
    head, newest = signed_head(organization), newest_checkpoint(organization)
    if newest is not None and newest.size >= head.size:
        return newest
    if head.size == 0:
        raise Conflict("There is no receipt yet, so there is nothing to anchor.")
    heads = release_heads.heads_at(organization, head.size)
    return Checkpoint.objects.create(
        organization=organization,
        size=head.size,
        root=head.root.hex(),
        note=head.note,
        release_heads=release_heads.root(heads).hex(),
        releases=len(heads),
        reason=reason,
        created_at=at,
    )


def _give(checkpoint: Checkpoint, sink: AnchorSink, at: datetime) -> None:
    """One anchor of this checkpoint by this sink; older ones that only wait give way, and leave their failures."""
    older = Anchor.objects.filter(sink=sink, checkpoint__size__lt=checkpoint.size, state=LeasedJob.State.QUEUED)
    failures = max(older.values_list("failures", flat=True), default=0)
    older.update(problem=OVERTAKEN)
    cancel(older, at)
    first = Anchor(organization_id=sink.organization_id, checkpoint=checkpoint, sink=sink, next_at=at, created_at=at)
    first.failures = failures
    Anchor.objects.bulk_create([first], ignore_conflicts=True)
    mine = Anchor.objects.filter(checkpoint=checkpoint, sink=sink)
    mine.filter(state__in=ENDED).update(
        state=LeasedJob.State.QUEUED, problem=None, finished_at=None, created_at=at, fence=F("fence") + 1
    )
    mine.filter(state=LeasedJob.State.QUEUED).update(next_at=at)
    wake_on_commit(JOB, mine.get().pk)
