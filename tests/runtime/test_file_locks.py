"""Locks exclude, share, and end with their holder."""

import subprocess
import sys
from pathlib import Path

from relcontrol.runtime.file_locks import FileLock, held

HOLD = """
import sys
from pathlib import Path
from relcontrol.runtime.file_locks import FileLock
lock = FileLock(Path(sys.argv[1]))
lock.exclusive()
print("held", flush=True)
sys.stdin.read()
"""


def test_two_sharers_share_and_exclude_a_lone_holder(tmp_path: Path) -> None:
    with FileLock(tmp_path / "lock") as one, FileLock(tmp_path / "lock") as two, FileLock(tmp_path / "lock") as three:
        assert one.shared(wait=False)
        assert two.shared(wait=False)
        assert not three.exclusive(wait=False)
        one.release()
        two.release()
        assert three.exclusive(wait=False)


def test_a_lock_is_free_after_its_block(tmp_path: Path) -> None:
    with held(tmp_path / "lock"), FileLock(tmp_path / "lock") as other:
        assert not other.exclusive(wait=False)
    with FileLock(tmp_path / "lock") as other:
        assert other.exclusive(wait=False)


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path / "lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with FileLock(tmp_path / "lock") as lock:
            assert not lock.exclusive(wait=False)
            holder.kill()
            holder.wait()
            assert lock.exclusive(wait=False)


def test_a_file_that_may_only_be_read_can_be_locked(tmp_path: Path) -> None:
    file = tmp_path / "requirements.lock"
    file.write_text("")
    file.chmod(0o400)
    with FileLock(file) as lock:
        assert lock.exclusive(wait=False)
