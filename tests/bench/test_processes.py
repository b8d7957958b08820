"""Work in processes: every answer comes back, and no failure is lost."""

import os
import signal
from functools import partial

import pytest

from relcontrol.bench.processes import in_processes


def _square(number: int) -> int:
    return number * number


def _four() -> int:
    return 4


def _fail() -> int:
    raise ValueError("the disk is full")


def _die() -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def test_answers_come_in_order() -> None:
    assert in_processes([partial(_square, number) for number in range(4)]) == [0, 1, 4, 9]


def test_an_error_in_one_is_raised_with_its_words() -> None:
    with pytest.raises(RuntimeError, match=r"1 of 2 processes failed.*ValueError: the disk is full"):
        in_processes([_four, _fail])


def test_a_killed_one_is_noticed() -> None:
    with pytest.raises(RuntimeError, match="killed before it answered"):
        in_processes([_die])
