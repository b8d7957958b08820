"""Starts processes, streams their output with a prefix, restarts what dies, stops all of them (no Django, one thread).

Each child leads a session of its own: Ctrl-C reaches the supervisor alone, and what a dead child left behind can be
ended as a group. The kernel ends the children when the supervisor itself is killed.
"""

import math
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from relcontrol.runtime.processes import die_with_parent
from relcontrol.runtime.services import Service

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
HEALTHY_AFTER_S = 60.0
STOP_PATIENCE_S = 15.0
CHUNK = 65536
LONGEST_LINE = 65536

Write = Callable[[str], None]


def pause_before_restart(failures: int) -> float:
    """Seconds to wait before the next start after this many deaths in a row: doubling, bounded."""
    return min(FIRST_PAUSE_S * 2.0 ** min(failures - 1, 16), LONGEST_PAUSE_S)


class PrefixedLines:
    """Cuts a stream of bytes into lines and writes each with the name of its process."""

    def __init__(self, name: str, width: int, write: Write, *, left_out: bytes | None = None) -> None:
        self._prefix = f"{name:<{width}} | "
        self._write = write
        self._left_out = left_out
        self._rest = b""

    def feed(self, chunk: bytes) -> None:
        """Write the lines that are complete now; an endless one is cut."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._line(line)
        if len(self._rest) > LONGEST_LINE:
            self.finish()

    def finish(self) -> None:
        """Write what has no line end yet."""
        if self._rest:
            self._line(self._rest)
        self._rest = b""

    def _line(self, line: bytes) -> None:
        if self._left_out is None or self._left_out not in line:
            self._write(self._prefix + line.decode(errors="replace").rstrip("\r"))


class Child:
    """One service and, while it runs, its process."""

    def __init__(self, service: Service, lines: PrefixedLines) -> None:
        self.service = service
        self.lines = lines
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self.start_at = 0.0
        self.failures = 0

    def start(self, environment: Mapping[str, str], folder: Path) -> int:
        """Start the process; returns the descriptor of its output."""
        self.process = subprocess.Popen(
            self.service.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=folder,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - the supervisor has one thread
        )
        self.started_at = time.monotonic()
        if self.process.stdout is None:
            raise RuntimeError("a process that was started with a pipe has none")
        os.set_blocking(self.process.stdout.fileno(), False)
        return self.process.stdout.fileno()

    def read(self) -> bytes | None:
        """What it has written: b"" when there is nothing now, None when it has closed its output."""
        if self.process is None or self.process.stdout is None:
            return None
        try:
            return os.read(self.process.stdout.fileno(), CHUNK) or None
        except BlockingIOError:
            return b""

    def signal(self, number: int) -> None:
        """Send a signal to the process alone."""
        if self.process is not None:
            self.process.send_signal(number)

    def end_group(self) -> None:
        """Kill whatever is left of the process and its descendants."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return

    def bury(self) -> None:
        """Forget the process that has ended, with everything that it left."""
        if self.process is None:
            return
        self.end_group()
        self.process.wait()
        while chunk := self.read():
            self.lines.feed(chunk)
        self.lines.finish()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None

    def plan_restart(self, now: float) -> float:
        """Count this death; returns the pause before the next start."""
        self.failures = 1 if now - self.started_at >= HEALTHY_AFTER_S else self.failures + 1
        pause = pause_before_restart(self.failures)
        self.start_at = now + pause
        return pause


class Supervisor:
    """Keeps a list of services running until it is told to stop."""

    def __init__(
        self, services: Sequence[Service], *, environment: Mapping[str, str], folder: Path, write: Write
    ) -> None:
        self.width = max(8, *(len(service.name) for service in services))
        self._environment = environment
        self._folder = folder
        self._write = write
        self._selector = selectors.DefaultSelector()
        self._children = [
            Child(one, PrefixedLines(one.name, self.width, write, left_out=one.left_out)) for one in services
        ]

    def step(self, seconds: float) -> None:
        """Start what is due, stream what is written within `seconds`, look for what has died."""
        self._start_due()
        self._stream(seconds)
        for child in self._children:
            if child.process is not None and (code := child.process.poll()) is not None:
                self._bury(child)
                if child.service.once and code == 0:
                    child.start_at = math.inf
                    continue
                pause = child.plan_restart(time.monotonic())
                self._write(f"{child.service.name} ended ({describe_end(code)}); it starts again in {pause:g} s")

    def process_id(self, name: str) -> int | None:
        """The id of a service's process while it runs."""
        return next((c.process.pid for c in self._children if c.service.name == name and c.process is not None), None)

    def stop(self, patience_s: float = STOP_PATIENCE_S) -> None:
        """Ask all to end, stream their last words, kill what does not end in time."""
        for child in self._children:
            child.signal(signal.SIGTERM)
        deadline = time.monotonic() + patience_s
        while self._running() and time.monotonic() < deadline:
            self._stream(0.1)
            for child in self._running():
                if child.process is not None and child.process.poll() is not None:
                    self._bury(child)
        for child in self._running():
            self._write(f"{child.service.name} did not end within {patience_s:g} s and was killed")
            child.end_group()
            self._bury(child)
        self._selector.close()

    def _running(self) -> list[Child]:
        return [child for child in self._children if child.process is not None]

    def _start_due(self) -> None:
        now = time.monotonic()
        for child in self._children:
            if child.process is None and child.start_at <= now:
                self._selector.register(child.start(self._environment, self._folder), selectors.EVENT_READ, child)

    def _stream(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            child: Child = key.data
            chunk = child.read()
            if chunk is None:
                self._selector.unregister(key.fd)
            else:
                child.lines.feed(chunk)

    def _bury(self, child: Child) -> None:
        for key in list(self._selector.get_map().values()):
            if key.data is child:
                self._selector.unregister(key.fd)
        child.bury()


def describe_end(code: int) -> str:
    """An exit code in words."""
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
