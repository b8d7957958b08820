"""The log of a server that outlives its users, shown by the `up` that uses it."""

from pathlib import Path

from relcontrol.runtime.supervisor import PrefixedLines


class LogFollower:
    """Passes on what is appended to a log file from now on."""

    def __init__(self, file: Path, lines: PrefixedLines) -> None:
        self._file = file
        self._lines = lines
        self._position = file.stat().st_size if file.exists() else 0

    def read(self) -> None:
        """Pass on what is new. A file that became shorter was begun anew."""
        if not self._file.exists():
            return
        size = self._file.stat().st_size
        if size < self._position:
            self._position = 0
        if size > self._position:
            with self._file.open("rb") as stream:
                stream.seek(self._position)
                chunk = stream.read()
            self._position += len(chunk)
            self._lines.feed(chunk)
