"""Streaks of windows: three below in a row are a breach, no data neither counts nor resets (statistics.md R16)."""

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.observing.watch import Signal, Watch, after
from releases.observing.windows import Verdict

NONE, BREACHED, PAGE, CLEARED = Signal.NONE, Signal.BREACHED, Signal.PAGE, Signal.CLEARED
MEANS: dict[str, float | None] = {"b": 0.5, "a": 0.71, "A": 0.80, "n": None}
VERDICTS: dict[str, Verdict] = {"b": "below", "a": "above", "A": "above", "n": "no_data"}


def _run(windows: str, watch: Watch | None = None, **changed: Any) -> tuple[Watch, list[Signal]]:
    """Below, barely above, clearly above, no data: one letter each; the floor is .7, a window's sd .05."""
    limits: dict[str, Any] = {"floor": 0.7, "s_min": 0.05} | changed
    watch, signals = watch or Watch(), []
    for letter in windows:
        watch, signal = after(watch, VERDICTS[letter], mean=MEANS[letter], **limits)
        signals.append(signal)
    return watch, signals


@pytest.mark.parametrize(
    ("windows", "breached"),
    [
        ("bb", False),
        ("bbb", True),
        ("bbabb", False),
        ("abbb", True),
        ("bnbnb", True),
        ("nnbbnnnb", True),
        ("bbn", False),
        ("bbAb", False),
        ("bb" + "n" * 10 + "b", False),
        ("bb" + "n" * 9 + "b", True),
    ],
)
def test_three_windows_below_in_a_row_are_a_breach(windows: str, *, breached: bool) -> None:
    assert (_run(windows)[1][-1] is BREACHED) == breached


def test_a_breach_that_could_not_be_acted_on_is_told_again_with_each_further_window() -> None:
    watch, signals = _run("bbbnb")
    assert signals == [NONE, NONE, BREACHED, NONE, BREACHED]
    assert watch.streak == 4


def test_after_ten_windows_without_data_somebody_is_told_once_and_the_streak_is_forgotten() -> None:
    watch, signals = _run("bb" + "n" * 25)
    assert [number for number, signal in enumerate(signals) if signal is PAGE] == [11]
    assert (watch.streak, watch.empty_streak) == (0, 25)


def test_data_that_come_again_begin_a_new_count_of_ten() -> None:
    assert _run("n" * 10 + "a" + "n" * 10)[1].count(PAGE) == 2
    assert PAGE not in _run(("n" * 9 + "a") * 3)[1]


@pytest.mark.parametrize(
    ("windows", "cleared"),
    [("AAA", 1), ("AAAAAA", 1), ("AaAA", 0), ("aaa", 0), ("AnAnA", 1), ("AAbA", 0), ("AAAbAAA", 2)],
)
def test_three_windows_clearly_above_the_floor_clear_once(windows: str, cleared: int) -> None:
    assert _run(windows)[1].count(CLEARED) == cleared


def test_exactly_one_deviation_above_the_floor_is_clear() -> None:
    assert _run("aaa", s_min=0.01)[1][-1] is CLEARED
    assert _run("aaa", s_min=0.0101)[1][-1] is NONE
    assert _run("aaa", s_min=None)[1][-1] is CLEARED


def test_without_a_floor_nothing_breaches_and_nothing_clears() -> None:
    assert set(_run("aAaAAA", floor=None)[1]) == {NONE}


letters = st.text("baAn", max_size=40)


@given(letters)
def test_windows_without_data_neither_count_nor_reset(windows: str) -> None:
    thinned = windows.replace("n" * 10, "n" * 9)
    while thinned != windows:
        windows, thinned = thinned, thinned.replace("n" * 10, "n" * 9)
    with_gaps, without = _run(windows), _run(windows.replace("n", ""))
    kept = [signal for letter, signal in zip(windows, with_gaps[1], strict=True) if letter != "n"]
    assert kept == without[1]
    assert (with_gaps[0].streak, with_gaps[0].clear_streak) == (without[0].streak, without[0].clear_streak)


@given(letters)
def test_a_breach_always_has_three_windows_below_and_nothing_above_between_them(windows: str) -> None:
    for number, signal in enumerate(_run(windows)[1]):
        if signal is BREACHED:
            assert windows[: number + 1].replace("n", "").endswith("bbb")


def test_every_verdict_is_taken() -> None:
    assert set(get_args(Verdict)) == set(VERDICTS.values())
