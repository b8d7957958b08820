"""The last good snapshot on disk: whole, private, and never older than it was."""

import json
import os
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from releases.gateway.control.disk import Held, LastGood
from releases.gateway.control.private_files import FORGOTTEN_S, write_private
from releases.gateway.control.trust import Served
from tests.releases.gateway.control import signed

NORTHGATE = Served(signed.SLUG, signed.ORIGIN)


def store(disk: LastGood, generation: int, *, epoch: int = 1) -> bool:
    return disk.store(
        signed.envelope(signed.payload(generation, epoch=epoch)), signed.snapshot(generation, epoch=epoch)
    )


def test_a_new_folder_holds_nothing(tmp_path: Path) -> None:
    disk = LastGood(tmp_path / "new")

    assert (disk.envelope(), disk.held()) == (None, None)


def test_what_is_stored_is_read_again_and_is_private(tmp_path: Path) -> None:
    store(LastGood(tmp_path), 42)
    disk = LastGood(tmp_path)

    assert signed.accepted(disk.envelope() or b"").position == (1, 42)
    assert disk.held() == Held(NORTHGATE, (1, 42))
    assert stat.S_IMODE((tmp_path / "routing.json").stat().st_mode) == 0o600
    assert not list(tmp_path.glob("*.partial"))


def test_an_older_snapshot_of_a_slower_worker_does_not_replace_a_newer_one(tmp_path: Path) -> None:
    disk = LastGood(tmp_path)

    assert store(disk, 1, epoch=2)
    assert not store(LastGood(tmp_path), 42)
    assert signed.accepted(disk.envelope() or b"").position == (2, 1)


def test_whichever_worker_comes_last_the_newest_wins(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as workers:
        list(workers.map(lambda generation: store(LastGood(tmp_path), generation), [7, 3, 9, 1, 8, 2, 10, 4, 6, 5]))

    disk = LastGood(tmp_path)
    assert signed.accepted(disk.envelope() or b"").position == (1, 10)
    assert disk.held() == Held(NORTHGATE, (1, 10))


def test_a_damaged_envelope_does_not_forget_how_far_it_was(tmp_path: Path) -> None:
    store(LastGood(tmp_path), 42)
    (tmp_path / "routing.json").write_bytes(b"{")

    assert LastGood(tmp_path).held() == Held(NORTHGATE, (1, 42))


@pytest.mark.parametrize("content", [b"", b"[]", b'{"organization":"northgate"}', b"\xff"])
def test_a_damaged_record_is_said_and_ignored(tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    store(LastGood(tmp_path), 42)
    (tmp_path / "routing.newest.json").write_bytes(content)

    assert LastGood(tmp_path).held() is None
    assert "damaged" in caplog.text


KILLED_BEFORE_RENAME = """
import os, pathlib, signal, sys
from releases.gateway.control import private_files
pathlib.Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
private_files.write_private(pathlib.Path(sys.argv[1]) / "routing.json", b"half of a newer one")
"""


def test_a_process_killed_between_write_and_rename_leaves_the_old_snapshot(tmp_path: Path) -> None:
    store(LastGood(tmp_path), 42)

    killed = subprocess.run(
        [sys.executable, "-c", KILLED_BEFORE_RENAME, str(tmp_path)], timeout=60, check=False, capture_output=True
    )

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert len(list(tmp_path.glob("*.partial"))) == 1
    assert signed.accepted(LastGood(tmp_path).envelope() or b"").position == (1, 42)
    assert store(LastGood(tmp_path), 43)


KILLED_WITH_THE_LOCK = """
import os, pathlib, signal, sys
from releases.gateway.control import disk
with disk.LastGood(pathlib.Path(sys.argv[1]))._alone():
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_killed_while_it_stores_does_not_keep_others_from_storing(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED_WITH_THE_LOCK, str(tmp_path)], timeout=60, check=False)

    assert store(LastGood(tmp_path), 42)


def test_what_killed_processes_left_is_removed_once_it_is_old(tmp_path: Path) -> None:
    old, fresh = tmp_path / "routing.json.a.partial", tmp_path / "routing.json.b.partial"
    for file in (old, fresh):
        file.write_bytes(b"half")
    long_ago = old.stat().st_mtime - FORGOTTEN_S - 1
    os.utime(old, (long_ago, long_ago))

    LastGood(tmp_path)

    assert (old.exists(), fresh.exists()) == (False, True)


def test_a_disk_that_takes_nothing_leaves_the_old_file_and_no_partial_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "routing.json"
    write_private(file, b"old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_private(file, b"new")

    assert file.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["routing.json"]


def test_the_record_holds_no_more_than_whose_and_how_far(tmp_path: Path) -> None:
    store(LastGood(tmp_path), 42)

    assert json.loads((tmp_path / "routing.newest.json").read_bytes()) == {
        "organization": signed.SLUG,
        "origin": signed.ORIGIN,
        "epoch": 1,
        "generation": 42,
    }
