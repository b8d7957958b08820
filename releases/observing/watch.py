"""What one more window means for a slice that is watched: its streaks, and whether somebody has to act (R16).

Pure. Three windows below the floor in a row are a breach. A window without enough answers neither counts nor resets;
after ten of them in a row nothing is known any more: the streak is forgotten and a person is told, once. A breach is
over after three windows in a row that lie clearly above the floor.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gates.statistics.limits import meets
from releases.observing.windows import Verdict

BREACH: Final = 3
CLEAR: Final = 3
EMPTY: Final = 10
MOST: Final = 9_999  # what a streak counts to


class Signal(StrEnum):
    """What follows from the window that has just been closed."""

    NONE = "none"
    BREACHED = "breached"
    PAGE = "page"
    CLEARED = "cleared"


@dataclass(frozen=True, slots=True)
class Watch:
    """How many windows in a row were below the floor, clearly above it, or without enough answers.

    A window without enough answers stands between no two others.
    """

    streak: int = 0
    clear_streak: int = 0
    empty_streak: int = 0


def after(
    watch: Watch, verdict: Verdict, *, mean: float | None, floor: float | None, s_min: float | None
) -> tuple[Watch, Signal]:
    """Return the watch after one more window, and what follows from it.

    `BREACHED` comes with the third window below in a row and with every further one, since what kept the breach from
    being acted on (a cool-down) ends; acting twice on one breach is the actor's to prevent. `PAGE` and `CLEARED` come
    once. `s_min` is the standard deviation of a window's mean; where it is unknown, at the floor is clear.
    """
    if verdict == "no_data":
        return _empty(watch)
    if verdict == "below":
        streak = min(MOST, watch.streak + 1)
        return Watch(streak=streak), Signal.BREACHED if streak >= BREACH else Signal.NONE
    count = min(MOST, watch.clear_streak + 1) if _is_clear(mean, floor, s_min) else 0
    return Watch(clear_streak=count), Signal.CLEARED if count == CLEAR else Signal.NONE


def _empty(watch: Watch) -> tuple[Watch, Signal]:
    count = min(MOST, watch.empty_streak + 1)
    if count == EMPTY:
        return Watch(0, watch.clear_streak, count), Signal.PAGE
    return Watch(watch.streak, watch.clear_streak, count), Signal.NONE


def _is_clear(mean: float | None, floor: float | None, s_min: float | None) -> bool:
    return mean is not None and floor is not None and meets(mean, floor + (s_min or 0.0))
