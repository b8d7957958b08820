"""Where a reading of many files stands: one line for each file that is done, so that a killed one goes on there.

A line counts only while the file still has the same size, times and inode; the time of its last change (ctime) is the
kernel's and cannot be set back by whoever writes a file. The journal is removed at the end: it saves work after an
interruption, and is never taken for having looked.
"""

import json
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TextIO

from audit.weights.predicates import DIGEST, WeightsError

MODE: Final = 0o600
OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH
ELSEWHERE: Final = "It lies beside the key: --key names another place for both."
Mark = tuple[int, int, int, int]


def mark_of(status: os.stat_result) -> Mark:
    """What shows that a file is still the one that was read: size, times of content and inode, and the inode."""
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


@dataclass(slots=True)
class Journal:
    """Digests of the files of one folder that were read already."""

    file: Path
    folder: Path
    _known: dict[str, tuple[Mark, str]] = field(default_factory=dict)
    _stream: TextIO | None = None

    def open(self) -> None:
        """Read what is there, and go on behind it. A line that was cut in its middle ends what is known."""
        try:
            self._require_own()
            kept = list(self._lines())
            descriptor = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, MODE)
        except OSError as error:
            raise WeightsError(
                f"{self.file}, which notes what was read, cannot be used: {error.strerror}. {ELSEWHERE}"
            ) from None
        self._known = {name: (tuple(mark), digest) for name, mark, digest in kept}
        self._stream = os.fdopen(descriptor, "w", encoding="utf-8")
        self._write([str(self.folder.resolve())])
        for line in kept:
            self._write(line)

    def _require_own(self) -> None:
        """Who could write the journal could say what was read: nobody else's file counts, and no link to another."""
        try:
            status = self.file.lstat()
        except FileNotFoundError:
            return
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & OTHERS_WRITE:
            problem = f"{self.file}, which notes what was read, may be written by others, or is no file"
            raise WeightsError(f"{problem}. Remove it. {ELSEWHERE}")

    def known(self, name: str, mark: Mark) -> str | None:
        """The digest of a file that was read before and has not changed since."""
        before, digest = self._known.get(name, (None, None))
        return digest if before == mark else None

    def add(self, name: str, mark: Mark, digest: str) -> None:
        """A file is done."""
        self._write([name, list(mark), digest])

    def close(self, *, done: bool) -> None:
        """Stop writing; once everything is read, the journal is removed."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        if done:
            self.file.unlink(missing_ok=True)

    def _write(self, line: list[Any]) -> None:
        if self._stream is None:
            raise ValueError("the journal is not open")
        self._stream.write(f"{json.dumps(line)}\n")
        self._stream.flush()

    def _lines(self) -> list[list[Any]]:
        try:
            lines = self.file.read_text("utf-8", "replace").split("\n")
        except FileNotFoundError:
            return []
        if _read(lines[0]) != [str(self.folder.resolve())]:
            return []
        found = []
        for text in lines[1:-1]:
            line = _read(text)
            if not _is_whole(line):
                break
            found.append(line)
        return found


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _is_whole(line: Any) -> bool:
    if not (isinstance(line, list) and len(line) == 3 and isinstance(line[0], str) and isinstance(line[1], list)):
        return False
    return len(line[1]) == 4 and isinstance(line[2], str) and DIGEST.fullmatch(line[2]) is not None
