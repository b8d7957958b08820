"""SHA-256 of weight files: streamed through one large buffer for each worker, several files at once, resumable.

Workers are threads: hashing and reading both run outside Python's lock, so two of them keep two cores busy, and a
killed reading leaves nothing behind. A file that changes while it is read has no digest: that is an error, no guess.
"""

import hashlib
import os
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock
from typing import Final

from audit.weights.journal import Journal, Mark, mark_of
from audit.weights.predicates import WeightsError

BUFFER: Final = 512 * 1024
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read: digest by name, bytes in all, and how many files an earlier reading had done already."""

    digests: dict[str, str]
    bytes: int
    resumed: int


class _Stopped(Exception):  # noqa: N818 - no error: another worker had one
    """Another worker failed, so this one stops in the middle of its file."""


def hash_files(
    folder: Path,
    names: Iterable[str],
    *,
    workers: int = 1,
    progress: Progress | None = None,
    journal: Journal | None = None,
) -> Reading:
    """Read these files of a folder. `progress` is told the bytes done and in all. Raises `WeightsError`.

    `journal` is opened and closed here; it stays on disk where this does not come to its end.
    """
    marks = {name: _mark(folder / name) for name in names}
    work = _Work(folder, sum(mark[0] for mark in marks.values()), progress, journal)
    done = False
    if journal is not None:
        journal.open()
    try:
        # The largest first: a small one at the end keeps no worker waiting.
        _run(work, sorted(marks.items(), key=lambda item: item[1][0], reverse=True), workers)
        done = True
    finally:
        if journal is not None:
            journal.close(done=done)
    return Reading(work.digests, work.total, work.resumed)


def _run(work: "_Work", items: list[tuple[str, Mark]], workers: int) -> None:
    with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
        futures: list[Future[None]] = [pool.submit(work.read, name, mark) for name, mark in items]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            work.stop.set()
            pool.shutdown(cancel_futures=True)
    failed = [error for each in futures if not each.cancelled() and (error := each.exception())]
    for error in sorted(failed, key=lambda error: isinstance(error, _Stopped)):
        raise error


class _Work:
    """What the workers share: one lock for the sums, the journal and the progress."""

    def __init__(self, folder: Path, total: int, progress: Progress | None, journal: Journal | None) -> None:
        self.folder, self.total, self.progress, self.journal = folder, total, progress, journal
        self.digests: dict[str, str] = {}
        self.done = self.resumed = 0
        self.stop, self.lock = Event(), Lock()

    def read(self, name: str, mark: Mark) -> None:
        """One file, from the journal where it is there unchanged."""
        known = self.journal.known(name, mark) if self.journal is not None else None
        digest = known or self._digest(name, mark)
        with self.lock:
            self.digests[name] = digest
            self.resumed += known is not None
            if self.journal is not None and known is None:
                self.journal.add(name, mark, digest)
        if known is not None:
            self._add(mark[0])

    def _digest(self, name: str, mark: Mark) -> str:
        sha256, buffer, read = hashlib.sha256(), bytearray(min(BUFFER, mark[0] + 1)), 0
        view = memoryview(buffer)
        try:
            with (self.folder / name).open("rb", buffering=0) as stream:
                while (count := stream.readinto(buffer)) and (read := read + count) <= mark[0]:  # it may grow for ever
                    sha256.update(view[:count])
                    self._add(count)
                    if self.stop.is_set():
                        raise _Stopped
                after = mark_of(os.fstat(stream.fileno()))
        except OSError as error:
            raise WeightsError(f"{name} cannot be read: {error.strerror}.") from None
        if after != mark:
            raise WeightsError(f"{name} was changed while it was read. Start again when nobody writes there any more.")
        return sha256.hexdigest()

    def _add(self, count: int) -> None:
        with self.lock:
            self.done += count
            if self.progress is not None:
                self.progress(self.done, self.total)


def _mark(file: Path) -> Mark:
    try:
        return mark_of(file.stat())
    except OSError as error:
        raise WeightsError(f"{file} cannot be read: {error.strerror}.") from None
