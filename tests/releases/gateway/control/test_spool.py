"""Batches on disk: unreadable to others, bounded, each sent by one worker."""

import stat
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from releases.gateway.control.spool import FORGOTTEN_S, NANOSECONDS, Claim, Spool
from releases.gateway.control.traces import Batch


class Clock:
    """Nanoseconds that each look moves on by one."""

    def __init__(self) -> None:
        self.moved = 0
        self._ticks: Iterator[int] = count(1_000_000_000)

    def __call__(self) -> int:
        return next(self._ticks) + self.moved


def spool(folder: Path, *, max_bytes: int = 1_000_000, clock: Clock | None = None) -> Spool:
    return Spool(folder, max_bytes=max_bytes, now_ns=clock or Clock())


def claimed(box: Spool) -> Claim:
    claim, damaged = box.claim()
    assert claim is not None
    assert damaged == 0
    return claim


def files(folder: Path) -> list[Path]:
    return sorted((folder / "spool").iterdir())


def test_a_batch_survives_a_restart(tmp_path: Path) -> None:
    assert spool(tmp_path).put(Batch(3, b"three rows")) == 0

    claim = claimed(spool(tmp_path))

    assert claim.batch == Batch(3, b"three rows")


def test_what_is_on_disk_shows_nothing_and_belongs_to_its_owner_only(tmp_path: Path) -> None:
    spool(tmp_path).put(Batch(1, b"privileged and confidential"))
    (file,) = files(tmp_path)

    assert b"confidential" not in file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "spool.key").stat().st_mode) == 0o600


def test_the_oldest_comes_first_and_one_that_is_done_is_gone(tmp_path: Path) -> None:
    box = spool(tmp_path)
    for body in (b"first", b"second"):
        box.put(Batch(1, body))

    first = claimed(box)
    box.done(first)

    assert first.batch.body == b"first"
    assert claimed(box).batch.body == b"second"


def test_two_workers_never_hold_the_same_batch(tmp_path: Path) -> None:
    clock = Clock()
    one, other = spool(tmp_path, clock=clock), spool(tmp_path, clock=clock)
    one.put(Batch(1, b"only"))

    assert claimed(one).batch.body == b"only"
    assert other.claim() == (None, 0)


def test_a_batch_that_is_given_back_waits_in_its_place(tmp_path: Path) -> None:
    box = spool(tmp_path)
    for body in (b"first", b"second"):
        box.put(Batch(1, body))

    box.back(claimed(box))

    assert claimed(box).batch.body == b"first"


def test_a_batch_that_failed_waits_behind_the_others(tmp_path: Path) -> None:
    box = spool(tmp_path)
    for body in (b"poison", b"sound"):
        box.put(Batch(1, body))

    box.back(claimed(box), last=True)

    assert [claimed(box).batch.body for _ in range(2)] == [b"sound", b"poison"]


def test_what_a_killed_worker_held_is_taken_up_after_a_while_and_not_before(tmp_path: Path) -> None:
    clock = Clock()
    killed, other = spool(tmp_path, clock=clock), spool(tmp_path, clock=clock)
    killed.put(Batch(2, b"in hand"))
    claimed(killed)

    assert other.claim() == (None, 0)
    clock.moved = (FORGOTTEN_S + 1) * NANOSECONDS
    assert claimed(other).batch == Batch(2, b"in hand")


def test_beyond_the_bound_the_oldest_rows_are_dropped_and_counted(tmp_path: Path) -> None:
    box = spool(tmp_path, max_bytes=3 * 1_050)
    dropped = [box.put(Batch(rows, bytes([rows]) * 1_000)) for rows in (1, 2, 3, 4, 5)]

    assert dropped == [0, 0, 0, 1, 2]
    assert sum(file.stat().st_size for file in files(tmp_path)) <= 3 * 1_050
    assert claimed(box).batch.rows == 3


def test_a_batch_larger_than_the_spool_is_dropped_and_nothing_else(tmp_path: Path) -> None:
    box = spool(tmp_path, max_bytes=1_000)
    box.put(Batch(1, b"small"))

    assert box.put(Batch(7, b"x" * 1_000)) == 7
    assert claimed(box).batch.body == b"small"


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 64])
def test_a_damaged_file_is_dropped_and_counted_and_the_next_one_is_found(tmp_path: Path, content: bytes) -> None:
    box = spool(tmp_path)
    box.put(Batch(4, b"damaged"))
    box.put(Batch(1, b"sound"))
    files(tmp_path)[0].write_bytes(content)

    claim, damaged = box.claim()

    assert claim is not None
    assert (claim.batch.body, damaged) == (b"sound", 4)


def test_a_file_under_another_files_name_is_damaged(tmp_path: Path) -> None:
    box = spool(tmp_path)
    box.put(Batch(1, b"first"))
    box.put(Batch(9, b"second"))
    first, second = files(tmp_path)
    first.replace(second)

    assert box.claim() == (None, 9)


def test_what_else_lies_in_the_folder_is_left_alone(tmp_path: Path) -> None:
    box = spool(tmp_path)
    stranger = tmp_path / "spool" / "notes.txt"
    stranger.write_text("not ours")
    box.put(Batch(1, b"ours"))

    assert claimed(box).batch.body == b"ours"
    assert stranger.read_text() == "not ours"


def test_a_damaged_key_is_put_aside_and_spooling_goes_on(tmp_path: Path) -> None:
    clock = Clock()
    spool(tmp_path, clock=clock).put(Batch(2, b"lost"))
    (tmp_path / "spool.key").write_bytes(b"no key")

    box = spool(tmp_path, clock=clock)
    box.put(Batch(1, b"kept"))
    claim, damaged = box.claim()

    assert claim is not None
    assert (claim.batch.body, damaged) == (b"kept", 2)
    assert (tmp_path / "spool.key.damaged").read_bytes() == b"no key"
