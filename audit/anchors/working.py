"""The worker's part: give one checkpoint to one sink, verify what comes back, and record it as `anchor.made`.

The sink is talked to outside of every transaction, with no lock held. What fails is tried again after a growing pause,
at most an hour, until it is made or a later checkpoint has taken its place: an anchor never ends with an error.
"""

import hashlib
import logging
from datetime import datetime, timedelta

from audit.anchor_models import Anchor, AnchorSink, AnchorTrust, Checkpoint
from audit.anchors.checkpoints import OVERTAKEN
from audit.anchors.kinds import sink_of
from audit.anchors.orders import Order, Settings
from audit.anchors.scheduling import pause_after
from audit.anchors.selectors import made_size
from audit.anchors.sending import SinkError
from audit.events import Event
from audit.log.heads import consistency
from audit.receipts import Record, append
from audit.statement import DecisionInput
from relcontrol.accounts.actors import system_actor
from relcontrol.bundle.canonical import sha256_hex
from relcontrol.clock import now
from relcontrol.jobs.leases import Lease, LeaseLostError
from relcontrol.jobs.models import LeasedJob

logger = logging.getLogger(__name__)

RECORDED, MADE = "recorded", "made"
CLOCKS_DIFFER = timedelta(seconds=60)  # what a verifier of exports tolerates, too
LONGEST_PROBLEM = 500


def make_anchor(lease: Lease[Anchor]) -> None:
    """The job."""
    with lease.writing() as row:
        row.attempts = 0  # the limit of attempts is for work that can be given up
        row.save(update_fields=["attempts"])
    try:
        anchor = _anchor(lease.job.pk)
        evidence, proved_at = _evidence(anchor)
    except LeaseLostError:
        raise
    except SinkError as error:
        _later(lease, str(error))
    except Exception as error:
        logger.exception("anchor %s failed", lease.job.pk)
        _later(lease, f"Something unforeseen went wrong ({type(error).__name__}); the log of the worker says what.")
    else:
        _record(lease, evidence, proved_at, anchor.sink.settings)


def _anchor(key: str) -> Anchor:
    return Anchor.objects.select_related("checkpoint", "sink", "organization").get(pk=key)


def _evidence(anchor: Anchor) -> tuple[bytes, datetime]:
    """What the sink answers, and the time that it proves."""
    checkpoint, row = anchor.checkpoint, anchor.sink
    sink, body = sink_of(row.kind), checkpoint.note.encode()
    order = Order(
        key=anchor.pk,
        origin=anchor.organization.origin,
        size=checkpoint.size,
        body=body,
        at=now(),
        seen=made_size(anchor.organization, row),
        consistency=lambda old: consistency(anchor.organization, old, checkpoint.size),
    )
    evidence = sink.submit(order, row.settings)
    proved_at = sink.verify(body, evidence, row.settings)
    _require_possible(proved_at, checkpoint, now())
    return evidence, proved_at


def _require_possible(proved_at: datetime, checkpoint: Checkpoint, at: datetime) -> None:
    """A time before the checkpoint was made, or after the present, is a clock that is wrong: theirs or ours."""
    if not checkpoint.created_at - CLOCKS_DIFFER <= proved_at <= at + CLOCKS_DIFFER:
        raise SinkError(
            f"It says {proved_at:%Y-%m-%d %H:%M:%S} UTC, and here the checkpoint is of "
            f"{checkpoint.created_at:%Y-%m-%d %H:%M:%S} and now is {at:%Y-%m-%d %H:%M:%S}. One clock is wrong."
        )


def _later(lease: Lease[Anchor], problem: str) -> None:
    """Back to those that wait, unless the same sink has a later checkpoint by now."""
    with lease.writing() as row:
        row.failures, row.last_problem, row.lease_until = row.failures + 1, problem[:LONGEST_PROBLEM], None
        row.next_at, row.state, row.problem = now() + pause_after(row.failures), LeasedJob.State.QUEUED, None
        later = Anchor.objects.filter(sink=row.sink_id, checkpoint__size__gt=row.checkpoint.size)
        if later.exclude(state=LeasedJob.State.CANCELLED).exists():
            row.state, row.finished_at, row.problem = LeasedJob.State.CANCELLED, now(), OVERTAKEN
        columns = ["failures", "last_problem", "lease_until", "next_at", "state", "finished_at", "problem"]
        row.save(update_fields=columns)


def _record(lease: Lease[Anchor], evidence: bytes, proved_at: datetime, settings: Settings) -> None:
    """Evidence, the settings that it was verified with, state and receipt in one transaction."""
    with lease.writing():
        row = _anchor(lease.job.pk)
        row.state, row.evidence, row.evidence_sha256 = LeasedJob.State.DONE, evidence, _sha256(evidence)
        row.proved_at, row.last_problem, row.problem = proved_at, "", None
        row.trust = _trust(row.sink, settings)
        row.made_at = row.finished_at = now()
        row.receipt = append(system_actor(row.organization), _made(row, proved_at))
        columns = ["state", "evidence", "evidence_sha256", "proved_at", "last_problem", "problem", "made_at"]
        row.save(update_fields=[*columns, "finished_at", "trust", "receipt"])


def _trust(sink: AnchorSink, settings: Settings) -> AnchorTrust:
    kept = {"settings": settings}
    return AnchorTrust.objects.get_or_create(sink=sink, sha256=sha256_hex(settings), defaults=kept)[0]


def _made(row: Anchor, proved_at: datetime) -> Record:
    """What the receipt says in clear: the log, the checkpoint, the heads of all releases, and the evidence."""
    checkpoint, sink = row.checkpoint, row.sink
    note_sha256 = _sha256(checkpoint.note.encode())
    inputs = [
        DecisionInput("log", RECORDED, n=checkpoint.size, evidence_sha256=checkpoint.root),
        DecisionInput("checkpoint", RECORDED, evidence_sha256=note_sha256),
        DecisionInput("release_heads", RECORDED, n=checkpoint.releases, evidence_sha256=checkpoint.release_heads),
        DecisionInput("anchor", MADE, slice=sink.name, evidence=sink.kind, evidence_sha256=row.evidence_sha256),
    ]
    state = {
        "id": row.pk,
        "name": sink.name,
        "sink": sink.pk,
        "kind": sink.kind,
        "revision": sink.revision,
        "checkpoint": checkpoint.pk,
        "size": checkpoint.size,
    }
    return Record(
        event=Event.ANCHOR_MADE,
        outcome=MADE,
        kind="anchor",
        name=row.pk,
        state=state,
        inputs=inputs,
        occurred_at=proved_at,
    )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
