"""The anchors that cover one receipt, checked here and now over what is stored.

Three things must hold before an anchor says anything of a receipt: the log that its checkpoint signs holds the
receipt at its place, the checkpoint's note says that root, and the sink's evidence is about that note. Evidence is
verified with the settings of its time: a sink that has another key or root since, or is switched off, takes nothing
from what it gave.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import groupby

from django.db.models import Q

from audit.anchor_models import Anchor, AnchorSink, Checkpoint
from audit.anchors.kinds import KINDS
from audit.anchors.sending import SinkError
from audit.keys.signing import LOG
from audit.log import merkle
from audit.log.nodes import MissingNodeError, node_source
from audit.log.notes import Note, NoteError, parse_checkpoint, parse_note, verify_note
from audit.models import KeyringEntry, Receipt
from relcontrol.jobs.models import LeasedJob


@dataclass(frozen=True, slots=True)
class Covering:
    """An anchor over the receipt, and the time that it proves; or in words why it proves nothing."""

    anchor: Anchor
    at: datetime | None = None
    problem: str = ""
    of_the_log: bool = False  # the problem lies in the log, and not in this evidence

    @property
    def size(self) -> int:
        """How many receipts its checkpoint covers."""
        return self.anchor.checkpoint.size

    @property
    def kind(self) -> str:
        """What sort of sink it is of."""
        return self.anchor.sink.kind


def covering(receipt: Receipt) -> list[Covering]:
    """Of each sink the first anchor over the receipt, of each witness the newest, too; smaller checkpoints first."""
    chosen = _chosen(receipt)
    checkpoints = {row.checkpoint_id: row.checkpoint for row in chosen}
    looked = {key: _looked_at(receipt, checkpoint) for key, checkpoint in checkpoints.items()}
    return [_checked(row, looked[row.checkpoint_id]) for row in chosen]


def _chosen(receipt: Receipt) -> list[Anchor]:
    made = Anchor.objects.filter(organization=receipt.organization_id, state=LeasedJob.State.DONE)
    over = made.filter(checkpoint__size__gte=receipt.seq).order_by("sink_id", "checkpoint__size")
    ends = over.values_list("sink_id", "sink__kind", "pk")
    wanted: set[str] = set()
    for _, each in groupby(ends, key=lambda row: row[0]):
        of_sink = list(each)
        wanted.add(of_sink[0][2])
        if of_sink[0][1] == AnchorSink.Kind.WITNESS:
            wanted.add(of_sink[-1][2])
    rows = Anchor.objects.filter(pk__in=wanted).select_related("checkpoint", "sink", "trust", "receipt")
    return list(rows.order_by("checkpoint__size", "pk"))


def _looked_at(receipt: Receipt, checkpoint: Checkpoint) -> tuple[str, bool]:
    """Why this checkpoint says nothing of the receipt, and whether that lies in the log; empty where it does say."""
    try:
        told = _root_of(receipt, checkpoint)
    except NoteError as error:
        return f"The checkpoint at #{checkpoint.size:,} cannot be believed: {error}.", False
    try:
        index, size = receipt.seq - 1, checkpoint.size
        node = node_source(receipt.organization, merkle.nodes_for_inclusion(index, size))
        leaf = merkle.leaf_hash(sha256(bytes(receipt.payload)).digest())
        merkle.verify_inclusion(leaf, index, size, merkle.inclusion_proof(index, size, node), told)
    except (MissingNodeError, merkle.ProofError) as error:
        return f"The log at #{checkpoint.size:,} does not hold this receipt: {error}.", True
    return "", False


def _root_of(receipt: Receipt, checkpoint: Checkpoint) -> bytes:
    """The root that the signed note says, of our own log at this size."""
    note, origin = parse_note(checkpoint.note), receipt.organization.origin
    told = parse_checkpoint(note.text)
    if (told.origin, told.size) != (origin, checkpoint.size):
        raise NoteError("its note is of another log, or of another size")
    _verify_by_some_key(note, origin, checkpoint.created_at)
    return told.root


def _verify_by_some_key(note: Note, origin: str, at: datetime) -> None:
    """A key that was retired stays good for what it signed; one that was revoked, for what it signed before."""
    problem = NoteError("no key of the log that was good then signed its note")
    for public in _log_keys(at):
        try:
            verify_note(note, origin, public)
        except NoteError as error:
            problem = error
        else:
            return
    raise problem


def _log_keys(at: datetime) -> Iterator[bytes]:
    good = Q(revoked_at=None) | Q(revoked_at__gt=at)
    rows = KeyringEntry.objects.filter(good, purpose=LOG).order_by("valid_from")
    yield from map(bytes, rows.values_list("public_key", flat=True))


def _checked(row: Anchor, looked: tuple[str, bool]) -> Covering:
    if looked[0]:
        return Covering(row, problem=looked[0], of_the_log=looked[1])
    try:
        evidence = bytes(row.evidence or b"")
        return Covering(row, at=KINDS[row.sink.kind].verify(row.checkpoint.note.encode(), evidence, row.settings))
    except (SinkError, ValueError, KeyError) as error:
        return Covering(row, problem=str(error) or "Its evidence cannot be read.")
