"""Which checkpoints and anchors belong to an export, and which receipt is proven against which. Pure.

For each receipt two anchors count: the first time stamp after it says when it existed at the latest, the last anchor
before it when it was written at the earliest. Beside these go the newest of all, which witnesses may have seen, and the
newest whose own receipt that one covers: where releases stood then is told by a receipt that is anchored itself. An
export of the whole chain holds every anchor, and one of its beginning
every anchor up to those that cover its end.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

RFC3161 = "rfc3161"


@dataclass(frozen=True, slots=True)
class Made:
    """One anchor that was made: of the checkpoint of this size, told by the receipt with this number."""

    key: str
    size: int
    kind: str
    seq: int


@dataclass(frozen=True, slots=True)
class Covers:
    """Which of some checkpoints covers a receipt."""

    stamped: Sequence[int]  # sizes with a time stamp, ascending
    newest: int | None

    @classmethod
    def of(cls, made: Iterable[Made]) -> "Covers":
        """Of the checkpoints of these anchors."""
        anchors = list(made)
        stamped = sorted({anchor.size for anchor in anchors if anchor.kind == RFC3161})
        return cls(stamped, max((anchor.size for anchor in anchors), default=None))

    def size_for(self, seq: int) -> int | None:
        """The earliest that has a time stamp, else the newest; None for a receipt that none covers."""
        at = bisect_left(self.stamped, seq)
        if at < len(self.stamped):
            return self.stamped[at]
        return self.newest if self.newest is not None and seq <= self.newest else None


@dataclass(slots=True)
class Chosen:
    """What of the anchors goes into an export."""

    anchors: list[Made] = field(default_factory=list)
    asides: list[int] = field(default_factory=list)  # numbers of the receipts that tell of them and are out of scope

    @property
    def newest(self) -> int | None:
        """The size of the newest checkpoint."""
        return max((anchor.size for anchor in self.anchors), default=None)

    @property
    def sizes(self) -> list[int]:
        """Of all checkpoints."""
        return sorted({anchor.size for anchor in self.anchors})


def chosen(made: Sequence[Made], seqs: Iterable[int]) -> Chosen:
    """The anchors for some receipts, given by number in ascending order."""
    covers, told = Covers.of(made), sorted(anchor.seq for anchor in made)
    sizes: set[int | None] = {covers.newest, told_size(made)}
    before, inside = set(), set()
    told_set = set(told)
    for seq in seqs:
        sizes.add(covers.size_for(seq))
        if at := bisect_left(told, seq):
            before.add(told[at - 1])
        if seq in told_set:
            inside.add(seq)
    anchors = [one for one in made if one.size in sizes or one.seq in before or one.seq in inside]
    return Chosen(anchors, sorted(one.seq for one in anchors if one.seq not in inside))


def told_size(made: Iterable[Made]) -> int | None:
    """The size of the newest checkpoint whose anchor is told by a receipt that the newest of all covers."""
    anchors = list(made)
    newest = max((anchor.size for anchor in anchors), default=0)
    told = [anchor for anchor in anchors if anchor.seq <= newest]
    return max(told, key=lambda anchor: anchor.seq).size if told else None


def chosen_from_beginning(made: Sequence[Made], last: int) -> Chosen:
    """The anchors for the receipts from the first up to number `last`."""
    size = Covers.of(made).size_for(last)
    until = max((anchor.seq for anchor in made if size in {None, anchor.size}), default=0)
    anchors = [anchor for anchor in made if anchor.seq <= until]
    return Chosen(anchors, sorted(anchor.seq for anchor in anchors if anchor.seq > last))


def sha256_of(note: str) -> str:
    """The digest by which anchors and heads name a checkpoint: of its note's bytes, as they were submitted."""
    return sha256(note.encode("utf-8")).hexdigest()


def last_covered(sizes: Iterable[int], first: int, last: int) -> list[int]:
    """Of receipts without a gap, the numbers of those that each checkpoint covers last."""
    return sorted({min(size, last) for size in sizes if size >= first})
