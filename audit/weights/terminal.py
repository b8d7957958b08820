"""How far a long reading is, as a line that overwrites itself on a terminal and stays quiet in a log."""

import time
from typing import Final, TextIO

EVERY_S: Final = 0.5
GIB: Final = 2**30


class ProgressLine:
    """Bytes done of all, and how fast; called by several threads, one at a time."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._began, self._shown = stream, time.monotonic(), 0.0
        self._on = stream.isatty()

    def __call__(self, done: int, of: int) -> None:
        """Show where it stands, at most twice a second."""
        at = time.monotonic()
        if self._on and (at - self._shown >= EVERY_S or done == of):
            self._shown = at
            speed = done / GIB / max(at - self._began, 0.001)
            share = 100 * done // of if of else 100
            self._stream.write(f"\r{share:3d} %  {done / GIB:,.2f} of {of / GIB:,.2f} GiB  {speed:.2f} GiB/s ")
            self._stream.write("\n" if done == of else "")
            self._stream.flush()
