"""The supervisor streams, restarts and stops; the children here are small Python programs."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relcontrol.runtime.processes import is_alive
from relcontrol.runtime.services import Service
from relcontrol.runtime.supervisor import (
    LONGEST_PAUSE_S,
    PrefixedLines,
    Supervisor,
    describe_end,
    pause_before_restart,
)
from tests.runtime.waiting import eventually

PATIENT = "import time; print('ready', flush=True); time.sleep(60)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
)
LEAVES_ONE_BEHIND = """
import subprocess, sys, time
left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], stdout=subprocess.DEVNULL)
print("left", left.pid, flush=True)
time.sleep(60)
"""
FAILS_FIRST = """
import pathlib, sys
tried = pathlib.Path("tried")
if not tried.exists():
    tried.touch()
    sys.exit(1)
print("done", flush=True)
"""

Start = Callable[..., Supervisor]


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def start(lines: list[str], tmp_path: Path) -> Iterator[Start]:
    started: list[Supervisor] = []

    def begin(program: str, *, once: bool = False, left_out: bytes | None = None) -> Supervisor:
        command = [sys.executable, "-c", program]
        service = Service("web", "nowhere", command, once=once, left_out=left_out)
        supervisor = Supervisor([service], environment=os.environ, folder=tmp_path, write=lines.append)
        started.append(supervisor)
        return supervisor

    yield begin
    for supervisor in started:
        supervisor.stop(patience_s=0.5)


def until(supervisor: Supervisor, condition: Callable[[], object]) -> bool:
    def stepped() -> object:
        supervisor.step(0.02)
        return condition()

    return eventually(stepped)


def until_at_most(supervisor: Supervisor, condition: Callable[[], object], *, steps: int) -> bool:
    for _ in range(steps):
        supervisor.step(0.01)
        if condition():
            return True
    return False


def test_output_is_streamed_line_by_line_with_the_name(start: Start, lines: list[str]) -> None:
    supervisor = start("import sys; print('one'); print('two', file=sys.stderr); print('end', end='', flush=True)")
    assert until(supervisor, lambda: len(lines) >= 4)
    assert sorted(lines[:3]) == ["web      | end", "web      | one", "web      | two"]


def test_a_killed_child_is_started_again(start: Start, lines: list[str]) -> None:
    supervisor = start(PATIENT)
    assert until(supervisor, lambda: "web      | ready" in lines)
    first = supervisor.process_id("web")
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert until(supervisor, lambda: lines.count("web      | ready") == 2)
    assert supervisor.process_id("web") not in (None, first)
    assert "web ended (killed by SIGKILL); it starts again in 0.5 s" in lines


def test_what_a_dead_child_left_behind_is_ended_with_it(start: Start, lines: list[str]) -> None:
    supervisor = start(LEAVES_ONE_BEHIND)
    assert until(supervisor, lambda: lines)
    left, child = int(lines[0].rsplit(" ", 1)[1]), supervisor.process_id("web")
    assert child is not None
    os.kill(child, signal.SIGKILL)
    assert until(supervisor, lambda: not is_alive(left))


def test_what_is_there_once_is_started_again_only_after_a_failure(start: Start, lines: list[str]) -> None:
    supervisor = start(FAILS_FIRST, once=True)
    assert until(supervisor, lambda: "web      | done" in lines)
    assert until(supervisor, lambda: supervisor.process_id("web") is None)
    assert not until_at_most(supervisor, lambda: supervisor.process_id("web"), steps=100)
    assert [line for line in lines if "starts again" in line] == ["web ended (exit code 1); it starts again in 0.5 s"]


def test_lines_that_are_to_be_left_out_are_not_shown(start: Start, lines: list[str]) -> None:
    supervisor = start(
        "print('a request'); print('an alarm', flush=True); import time; time.sleep(60)", left_out=b"a request"
    )
    assert until(supervisor, lambda: lines)
    assert lines == ["web      | an alarm"]


def test_stop_ends_all_and_nothing_starts_again(start: Start, lines: list[str]) -> None:
    supervisor = start(PATIENT)
    assert until(supervisor, lambda: lines)
    child = supervisor.process_id("web")
    assert child is not None
    supervisor.stop()
    assert not is_alive(child)
    assert lines == ["web      | ready"]


def test_a_child_that_will_not_end_is_killed_in_bounded_time(start: Start, lines: list[str]) -> None:
    supervisor = start(STUBBORN)
    assert until(supervisor, lambda: lines)
    child = supervisor.process_id("web")
    assert child is not None
    supervisor.stop(patience_s=0.3)
    assert not is_alive(child)
    assert lines[-1] == "web did not end within 0.3 s and was killed"


def test_the_last_words_of_a_stopping_child_are_shown(start: Start, lines: list[str]) -> None:
    words = (
        "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(print('bye'))); print('ready', flush=True); "
    )
    supervisor = start(words + "time.sleep(60)")
    assert until(supervisor, lambda: lines)
    supervisor.stop()
    assert lines == ["web      | ready", "web      | bye"]


@given(st.integers(1, 10_000))
def test_pauses_grow_and_are_bounded(failures: int) -> None:
    assert pause_before_restart(failures) <= pause_before_restart(failures + 1) <= LONGEST_PAUSE_S


@given(st.lists(st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]), min_size=1)), st.data())
def test_lines_are_the_same_however_the_bytes_arrive(texts: list[str], data: st.DataObject) -> None:
    whole = "".join(f"{text}\n" for text in texts).encode()
    written: list[str] = []
    prefixed = PrefixedLines("web", 3, written.append)
    while whole:
        size = data.draw(st.integers(1, len(whole)))
        prefixed.feed(whole[:size])
        whole = whole[size:]
    prefixed.finish()
    assert written == [f"web | {text}" for text in texts]


def test_an_endless_line_is_cut() -> None:
    written: list[str] = []
    PrefixedLines("web", 3, written.append).feed(b"x" * 100_000)
    assert len(written) == 1


@pytest.mark.parametrize(("code", "words"), [(-9, "killed by SIGKILL"), (3, "exit code 3")])
def test_an_end_is_told_in_words(code: int, words: str) -> None:
    assert describe_end(code) == words
