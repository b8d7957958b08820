"""The process that judges in `manage.py bench gate`: it does one run as a worker would and says what that took."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Final

from gates.runs import working
from relcontrol.ticks import work

PHASES: Final = {"read": "_read", "record": "_record_results", "decide": "decide", "write": "_finish"}
READY: Final = b"ready\n"
KIBIBYTE: Final = 1024


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of each phase, seconds of a processor in all, and the most memory that the process had, in bytes."""

    phases: dict[str, float]
    processor: float
    peak: int


def judge_one() -> None:
    """Do the run whose key comes on stdin; the cost goes to stdout as JSON."""
    spent: dict[str, float] = {}
    for phase, name in PHASES.items():
        setattr(working, name, _timed(phase, getattr(working, name), spent))
    sys.stdout.write(READY.decode())
    sys.stdout.flush()
    key = sys.stdin.readline().strip()
    began = time.process_time()
    work("gate-run", key)
    json.dump({"phases": spent, "processor": time.process_time() - began, "peak": peak_of("self")}, sys.stdout)


def peak_of(process: int | str) -> int:
    """The most memory that a process had, in bytes; 0 where there is no /proc.

    Not by getrusage: its figure begins with that of the process which started this one.
    """
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(KIBIBYTE * int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def _timed(phase: str, work: Callable[..., Any], spent: dict[str, float]) -> Callable[..., Any]:
    @wraps(work)
    def timed(*arguments: Any) -> Any:
        began = time.perf_counter()
        try:
            return work(*arguments)
        finally:
            spent[phase] = time.perf_counter() - began

    return timed
