"""The anchors of an export in words: which heads of the log went to whom, when, and what is not anchored. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from audit.anchors.wording import KINDS, Kind
from audit.report.reading import Export, Opened, list_of, object_of
from audit.report.texts import counted, line, moment

MADE = "anchor.made"
MOST_ANCHORS = 60
STAMP, WITNESS = "rfc3161", "witness"
BUT_THE_LAST = " but those that tell of the last anchors"
NOTHING = "Nothing here was anchored: no outside clock and no witness has seen this log."


@dataclass(frozen=True, slots=True)
class Anchored:
    """One anchor: a line of the report's table."""

    at: str
    kind: str
    title: str
    sink: str
    size: int
    seq: int


@dataclass(frozen=True, slots=True)
class Anchoring:
    """All that the report says of anchors; `tail` is what they do not cover."""

    anchors: list[Anchored] = field(default_factory=list)
    left: int = 0
    kinds: list[Kind] = field(default_factory=list)
    tail: list[str] = field(default_factory=list)


def anchoring_of(export: Export, told: Mapping[str, Opened], seqs: Sequence[int], *, told_last: bool) -> Anchoring:
    """The anchors of an export, by size. `told`: the receipts that tell of anchors.

    `seqs`: the receipts in scope, without those of anchors at the end (`told_last`), which wait for the next anchor.
    """
    notes = [str(object_of(entry).get("note", "")) for entry in export.entries("checkpoints")]
    sizes = {sha256(note.encode("utf-8")).hexdigest(): _size(note) for note in notes}
    found = [_anchored(object_of(entry), sizes, told) for entry in export.entries("anchors")]
    found.sort(key=lambda anchor: (anchor.size, anchor.seq))
    return Anchoring(
        anchors=found[-MOST_ANCHORS:],
        left=max(len(found) - MOST_ANCHORS, 0),
        kinds=[words for kind, words in KINDS.items() if any(anchor.kind == kind for anchor in found)],
        tail=_tail(found, seqs, BUT_THE_LAST if told_last else "") if found else [NOTHING],
    )


def _anchored(entry: Mapping[str, Any], sizes: Mapping[str, int], told: Mapping[str, Opened]) -> Anchored:
    receipt, kind = told.get(str(entry.get("receipt_hash"))), str(entry.get("kind"))
    inputs = list_of(receipt.decision.get("inputs")) if receipt else []
    sink = next((one.get("slice") for one in map(object_of, inputs) if one.get("metric") == "anchor"), None)
    return Anchored(
        at=moment(receipt.predicate.get("occurred_at")) if receipt else "unknown",
        kind=kind,
        title=KINDS[kind].title if kind in KINDS else line(kind, 40),
        sink=line(sink, 100),
        size=sizes.get(str(entry.get("checkpoint")), 0),
        seq=receipt.seq if receipt else 0,
    )


def _size(note: str) -> int:
    """The second line of a checkpoint."""
    lines = note.split("\n")
    return int(lines[1]) if len(lines) > 1 and lines[1].isascii() and lines[1].isdecimal() else 0


def _tail(found: Iterable[Anchored], seqs: Sequence[int], but: str) -> list[str]:
    """What is not covered, in two sentences: by a clock, and by somebody's memory."""
    newest = {kind: max((one.size for one in found if one.kind == kind), default=0) for kind in (STAMP, WITNESS)}
    after = {kind: [seq for seq in seqs if seq > size] for kind, size in newest.items()}
    stamped, seen = (_uncovered(after[kind]) for kind in (STAMP, WITNESS))
    return [
        "No time stamp is in this export: every time in it is the issuer’s own."
        if not newest[STAMP]
        else f"{stamped} not covered by a time stamp yet: their times are the issuer’s own."
        if stamped
        else f"A time stamp covers every receipt here{but}.",
        "No cosignature of a witness is in this export: a chain that was made again would look the same."
        if not newest[WITNESS]
        else f"{seen} newer than what a witness has seen: whether these were replaced, only a later head can show."
        if seen
        else f"A witness has seen the log with every receipt here{but}.",
    ]


def _uncovered(seqs: Sequence[int]) -> str:
    if len(seqs) > 1:
        return f"The newest {counted(len(seqs), 'receipt')}, from #{seqs[0]:,} on, are"
    return f"The newest receipt, #{seqs[0]:,}, is" if seqs else ""
