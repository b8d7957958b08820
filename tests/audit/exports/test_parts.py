"""An export's files in parts: written in pieces of one size, read back whole or by place, with the lease kept."""

from collections.abc import Iterator

import pytest

from audit.exporting import parts
from audit.exporting.exports import request_export
from audit.exporting.parts import Keeper, Kind, Places, content_of, store
from audit.models import Export, ExportPart
from relcontrol.accounts.actors import command_actor
from relcontrol.clock import now
from relcontrol.jobs.leases import Lease, LeaseLostError, claim
from tests import factories

pytestmark = pytest.mark.django_db
TEXT = bytes(range(256)) * 2


@pytest.fixture
def lease(monkeypatch: pytest.MonkeyPatch) -> Lease[Export]:
    """The right to work on an export, whose parts are of 100 bytes."""
    monkeypatch.setattr(parts, "PART_BYTES", 100)
    monkeypatch.setattr(parts, "KEEP_SECONDS", 0.0)
    export = request_export(actor=command_actor(factories.organization()), scope={"organization": True})
    taken = claim(Export.objects.filter(pk=export.pk), "we", now())
    assert taken is not None
    return taken


def test_a_file_is_stored_in_parts_of_one_size_whatever_the_chunks(lease: Lease[Export]) -> None:
    ExportPart.objects.create(export=lease.job, kind=Kind.ZIP, number=9, content=b"of an attempt before")
    _, size = store(lease, Kind.ZIP, [TEXT[:7], b"", TEXT[7:350], TEXT[350:]])
    sizes = [len(piece) for piece in content_of(lease.job, Kind.ZIP)]
    assert (size, sizes) == (512, [100] * 5 + [12])
    assert b"".join(content_of(lease.job, Kind.ZIP)) == TEXT


@pytest.mark.parametrize(("start", "end"), [(0, 512), (0, 0), (99, 101), (100, 200), (511, 512), (250, 460)])
def test_a_stored_file_is_read_by_place_across_its_parts(lease: Lease[Export], start: int, end: int) -> None:
    for number, at in enumerate((0, 30, 130)):  # parts of an earlier version have no one size
        ExportPart.objects.create(
            export=lease.job, kind=Kind.JSON, number=number, content=TEXT[at : (30, 130, 512)[number]]
        )
    assert b"".join(Places(lease.job).pieces(start, end)) == TEXT[start:end]


def test_the_lease_is_kept_while_entries_go_by_and_bytes_are_progress(lease: Lease[Export]) -> None:
    def looked_at() -> Iterator[bytes]:
        for piece in (b"12345", b"678"):
            yield piece
            seen.append(Export.objects.get(pk=lease.job.pk).progress_done)

    seen: list[int] = []
    assert list(Keeper(lease).counted(looked_at())) == [b"12345", b"678"]
    assert seen == [5, 8]
    before = Export.objects.get(pk=lease.job.pk).lease_until
    assert list(Keeper(lease).through([1, 2])) == [1, 2]
    after = Export.objects.get(pk=lease.job.pk)
    assert before is not None
    assert after.lease_until is not None
    assert after.lease_until > before
    assert after.progress_done == 8


def test_whoever_lost_the_lease_stops_at_the_next_entry(lease: Lease[Export]) -> None:
    Export.objects.filter(pk=lease.job.pk).update(fence=lease.fence + 1)
    with pytest.raises(LeaseLostError):
        list(Keeper(lease).through([1, 2]))
