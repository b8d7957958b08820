"""An export's files in the database: written in parts of 1 MiB under the job's lease, read back whole or by place."""

import time
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import accumulate
from typing import TypeVar

from django.db.models import F, Func, IntegerField, QuerySet

from audit.models import Export, ExportPart
from relcontrol.clock import now
from relcontrol.jobs.leases import Lease

PART_BYTES = 1024 * 1024
KEEP_SECONDS = 1.0

Kind = ExportPart.Kind
Item = TypeVar("Item")


def content_of(export: Export, kind: Kind = Kind.JSON) -> Iterator[bytes]:
    """A file, piece by piece."""
    rows = _parts(export, kind)
    for number in list(rows.values_list("number", flat=True)):
        yield bytes(rows.get(number=number).content)


def store(lease: Lease[Export], kind: Kind, chunks: Iterable[bytes]) -> tuple[str, int]:
    """Write a file in place of what an attempt before left of it; its SHA-256 and size."""
    with lease.writing() as export:
        _parts(export, kind).delete()
    digest, size = sha256(), 0
    for number, piece in enumerate(_pieces(chunks)):
        digest.update(piece)
        size += len(piece)
        with lease.writing() as export:
            ExportPart.objects.create(export=export, kind=kind, number=number, content=piece)
    return digest.hexdigest(), size


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Chunks of any size as pieces of `PART_BYTES`; the last is shorter."""
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        while len(waiting) >= PART_BYTES:
            yield bytes(waiting[:PART_BYTES])
            del waiting[:PART_BYTES]
    if waiting:
        yield bytes(waiting)


def _parts(export: Export, kind: Kind) -> QuerySet[ExportPart]:
    return ExportPart.objects.filter(export=export, kind=kind).order_by("number")


class Places:
    """A stored file, read by place. The part that was read last is held."""

    def __init__(self, export: Export, kind: Kind = Kind.JSON) -> None:
        self._rows = _parts(export, kind)
        length = Func(F("content"), function="octet_length", output_field=IntegerField())
        lengths = self._rows.annotate(length=length).values_list("length", flat=True)
        self._starts = [0, *accumulate(lengths)]
        self._held: tuple[int, bytes] = (-1, b"")

    def pieces(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes from `start` up to `end`."""
        while start < end:
            at = bisect_right(self._starts, start) - 1
            piece = self._part(at)[start - self._starts[at] : end - self._starts[at]]
            yield piece
            start += len(piece)

    def _part(self, at: int) -> bytes:
        if self._held[0] != at:
            self._held = (at, bytes(self._rows[at : at + 1].get().content))
        return self._held[1]


class Keeper:
    """Keeps a lease while work goes on, about once a second."""

    def __init__(self, lease: Lease[Export]) -> None:
        self._lease, self._kept = lease, time.monotonic()

    def through(self, entries: Iterable[Item]) -> Iterator[Item]:
        """The entries, with the lease kept as they go by."""
        for entry in entries:
            yield entry
            self._keep()

    def counted(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The same, with the bytes that went by as progress."""
        done = 0
        for piece in pieces:
            yield piece
            done += len(piece)
            self._keep(done)

    def _keep(self, done: int | None = None) -> None:
        if time.monotonic() - self._kept >= KEEP_SECONDS:
            self._lease.keep(now(), done=done)
            self._kept = time.monotonic()
