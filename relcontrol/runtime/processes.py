"""Facts about processes, and children that do not outlive their parent (Linux; elsewhere both do less).

A process id alone proves nothing, because ids are used again: a process is recognised by what it runs and by a mark in
its environment.
"""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

# In the environment of everything that `up` starts: the data folder of that `up`.
MARK = "RELCONTROL_SUPERVISED"

PROC = Path("/proc")
PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(signal_number: int) -> Callable[[], None]:
    """A `preexec_fn` that has the kernel send `signal_number` to the child when the thread that started it is gone."""
    parent = os.getpid()

    def prepare() -> None:
        if _LIBC is None:
            return
        _LIBC.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
        if os.getppid() != parent:  # it died before the line above
            os.kill(os.getpid(), signal_number)

    return prepare


def is_alive(pid: int) -> bool:
    """Whether a process with this id exists and is no zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return _state(pid) != "Z"


def _state(pid: int) -> str:
    try:
        # The name of the program stands in brackets and may itself contain any character.
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""


def working_folder(pid: int) -> Path | None:
    """Where a process runs; None where that cannot be read."""
    try:
        return (PROC / str(pid) / "cwd").readlink()
    except OSError:
        return None


def marked_processes(name: str, value: str) -> list[int]:
    """Ids of the processes, except this one, that were started with `name=value` in their environment."""
    mark = f"{name}={value}".encode()
    return [pid for pid in _process_ids() if pid != os.getpid() and mark in _environment(pid) and is_alive(pid)]


def _process_ids() -> list[int]:
    return [int(folder.name) for folder in PROC.glob("[0-9]*")] if PROC.is_dir() else []


def _environment(pid: int) -> list[bytes]:
    try:
        return (PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return []


def end_processes(find: Callable[[], Iterable[int]], *, patience_s: float) -> None:
    """End what `find` finds: ask, wait up to `patience_s` seconds, then kill."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        _send(find(), number)
        deadline = time.monotonic() + patience_s
        while found := list(find()):
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)
        if not found:
            return


def _send(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
