"""The processes of the chaos bench: started as `up` starts them, killed with all that they started, started again.

A dead one comes back after the supervisor's first pause. The supervisor's longer pauses are for what dies of itself;
here everything is killed many times a minute, and what is wanted is to see what that does.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from relcontrol.bench.chaos_cluster import children_of
from relcontrol.runtime.folders import CHECKOUT
from relcontrol.runtime.processes import die_with_parent
from relcontrol.runtime.supervisor import FIRST_PAUSE_S

END_S: Final = 40.0

Process = subprocess.Popen[bytes]


@dataclass(slots=True)
class Member:
    """One process with its command; `start_at` is when a dead one may be started again, None that it shall not."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    process: Process | None = None
    start_at: float | None = None


@dataclass(slots=True)
class Fleet:
    """Everything that runs. What the processes write goes to one file each in `logs`. For one thread alone."""

    logs: Path
    members: dict[str, Member] = field(default_factory=dict)

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> Process:
        """A process that is kept running from now on."""
        member = self.members[name] = Member(name, command, environment)
        return self._start(member)

    def process(self, name: str) -> Process | None:
        """The process, while there is one."""
        return self.members[name].process

    def kill(self, name: str) -> None:
        """SIGKILL to a process and to everything in its group."""
        member = self.members[name]
        if member.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(member.process.pid, signal.SIGKILL)

    def keep_down(self, name: str) -> None:
        """Kill it and leave it so, until it is started again."""
        member = self.members[name]
        self.kill(name)
        if member.process is not None:
            member.process.wait(END_S)
        member.process, member.start_at = None, None

    def kill_worker(self, name: str, place: int) -> int | None:
        """SIGKILL to one of the workers that a process has started; which one, None where it has none now."""
        member = self.members[name]
        workers = children_of(member.process.pid) if member.process else []
        if not workers:
            return None
        chosen = workers[place % len(workers)]
        index = _index_of(chosen)
        with suppress(ProcessLookupError):
            os.kill(chosen, signal.SIGKILL)
        return index

    def end(self, name: str) -> None:
        """SIGTERM to a process, and wait until it has drained; it is not started again."""
        member = self.members[name]
        if member.process is not None:
            member.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                member.process.wait(END_S)
        self.keep_down(name)

    def again(self, name: str) -> Process:
        """Start a process that was ended or kept down."""
        return self._start(self.members[name])

    def attend(self) -> None:
        """Look for what has died, and start what is due."""
        now = time.monotonic()
        for member in self.members.values():
            if member.process is not None and member.process.poll() is not None:
                self.kill(member.name)  # what it left behind
                member.process, member.start_at = None, now + FIRST_PAUSE_S
            if member.process is None and member.start_at is not None and member.start_at <= now:
                self._start(member)

    def _start(self, member: Member) -> Process:
        with (self.logs / f"{member.name}.log").open("ab") as log:
            member.process = subprocess.Popen(  # noqa: S603 - our own programs, no shell
                member.command,
                cwd=CHECKOUT,
                env=dict(member.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509 - started by the one main thread
            )
        member.start_at = None
        return member.process


@contextmanager
def fleet(logs: Path) -> Iterator[Fleet]:
    """An empty fleet; at the end of the block everything in it is killed."""
    logs.mkdir(exist_ok=True)
    made = Fleet(logs)
    try:
        yield made
    finally:
        for name in reversed(made.members):
            made.keep_down(name)


def _index_of(pid: int) -> int:
    """The number of a gateway's worker, which stands in its command line after the name of its module."""
    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return int(words[words.index(b"releases.gateway.worker") + 1])
