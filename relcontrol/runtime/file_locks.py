"""Locks between processes that the kernel releases when their holder dies, however it dies (standard library only)."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self


class FileLock:
    """A lock on one file. Two objects exclude each other, also inside one process."""

    def __init__(self, file: Path) -> None:
        flags = os.O_RDONLY if file.exists() else os.O_RDWR | os.O_CREAT
        self._descriptor = os.open(file, flags | os.O_CLOEXEC, 0o600)

    def exclusive(self, *, wait: bool = True) -> bool:
        """Hold it alone; without `wait`, False where somebody else holds it."""
        return self._take(fcntl.LOCK_EX, wait=wait)

    def shared(self, *, wait: bool = True) -> bool:
        """Hold it together with other sharers; without `wait`, False where somebody holds it alone."""
        return self._take(fcntl.LOCK_SH, wait=wait)

    def release(self) -> None:
        """Let others take it; this object can take it again."""
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Release it for good."""
        os.close(self._descriptor)

    def _take(self, kind: int, *, wait: bool) -> bool:
        try:
            fcntl.flock(self._descriptor, kind if wait else kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def held(file: Path) -> Iterator[None]:
    """Hold the lock on `file` alone for the time of the block."""
    with FileLock(file) as lock:
        lock.exclusive()
        yield
