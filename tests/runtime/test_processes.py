"""Processes are recognised by more than their id, and children end with their parent."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from relcontrol.runtime.processes import die_with_parent, end_processes, is_alive, marked_processes, working_folder
from tests.runtime.waiting import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

WAIT = [sys.executable, "-c", "import sys; print('here', flush=True); sys.stdin.read()"]
IGNORE_TERM = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("here", flush=True)
time.sleep(60)
"""
PARENT = """
import signal, subprocess, sys, time
from relcontrol.runtime.processes import die_with_parent
sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
child = subprocess.Popen(sleep, preexec_fn=die_with_parent(signal.SIGTERM))
print(child.pid, flush=True)
time.sleep(60)
"""


def test_a_process_that_ended_but_was_not_waited_for_is_not_alive() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    assert eventually(lambda: not is_alive(child.pid))
    child.wait()
    assert not is_alive(child.pid)


def test_this_process_is_alive_and_here() -> None:
    assert is_alive(os.getpid())
    assert working_folder(os.getpid()) == Path.cwd()


def test_a_child_ends_when_its_parent_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_alive(child)
        parent.kill()
    assert eventually(lambda: not is_alive(child))


def test_marked_processes_are_found_by_the_whole_value_and_ended_even_when_they_will_not(tmp_path: Path) -> None:
    environment = {**os.environ, "RELCONTROL_TRIAL": str(tmp_path)}
    command = [sys.executable, "-c", IGNORE_TERM]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as stubborn:
        assert stubborn.stdout is not None
        stubborn.stdout.readline()
        assert marked_processes("RELCONTROL_TRIAL", str(tmp_path)) == [stubborn.pid]
        assert marked_processes("RELCONTROL_TRIAL", str(tmp_path)[:-1]) == []
        end_processes(lambda: marked_processes("RELCONTROL_TRIAL", str(tmp_path)), patience_s=0.3)
        assert stubborn.wait() == -signal.SIGKILL


def test_the_preparation_does_nothing_harmful_while_the_parent_lives() -> None:
    with subprocess.Popen(WAIT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=die_with_parent(9)) as child:  # noqa: PLW1509 - no threads here
        assert child.stdout is not None
        assert child.stdout.readline() == b"here\n"
        child.communicate()
    assert child.returncode == 0
