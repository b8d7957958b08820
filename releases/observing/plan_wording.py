"""Why automatic rollback is armed on a slice, or why not, in sentences (statistics.md R16). Pure."""

from datetime import timedelta
from typing import Final

from gates.statistics.limits import shown, shown_beside, shown_limit, shown_size

NO_FLOOR: Final = "Not armed: there is no floor here, since no quality of this slice was passed by a gate or accepted."
NO_TARGET: Final = "Not armed: there is no release that this route could go back to."
RETURNED: Final = "Not armed: this release came by a rollback, and a rollback is never rolled back automatically."
UNKNOWN: Final = "Not armed: how good healthy answers of this slice are is not known yet."


def no_way_back(floor: float | None, *, target: bool, returned: bool) -> str | None:
    """What stands against it whatever the quality is."""
    if floor is None:
        return NO_FLOOR
    if returned:
        return RETURNED
    return None if target else NO_TARGET


def armed(floor: float, n_min: int, length: timedelta, *, known: bool) -> str:
    """How it acts; `length` is what a window takes, `known` says that its numbers are of a history."""
    sentence = (
        f"Armed: three windows in a row below {shown(floor)} take the release back; "
        f"a window needs {n_min} scores, which takes about {_time(length)}."
    )
    return sentence if known else f"{sentence} How much scores vary is assumed until 30 windows are known."


def at_the_floor(healthy_mean: float, floor: float) -> str:
    """There is no headroom: healthy answers are no better than the floor."""
    mean = shown_beside(healthy_mean, floor)
    return f"Not armed: the healthy mean {mean} is not above the floor {shown_limit(floor, healthy_mean)}."


def too_correlated(correlation: float) -> str:
    """Neighbouring windows say nearly the same, so that three in a row are no more than one."""
    return (
        f"Not armed: neighbouring windows are too alike (correlation {shown_beside(correlation, 0.9)}, at most 0.90), "
        "so that three bad ones in a row would prove no more than one."
    )


def too_uneven(headroom: float, between: float) -> str:
    """The quality itself changes too much, however many answers are scored."""
    return (
        f"Not armed: the quality of healthy windows changes by {shown_size(between)} by itself, too much for a floor "
        f"only {shown_size(headroom)} under the healthy mean, however many answers are scored."
    )


def too_few(needed: int, samples_a_minute: float, longest: timedelta) -> str:
    """A window would take longer than the longest."""
    return (
        f"Not armed: a window needs {needed} scores, and about {shown(samples_a_minute, 1)} a minute come: "
        f"too few for {_time(longest)}."
    )


def _time(length: timedelta) -> str:
    seconds = round(length.total_seconds())
    if seconds < 60:
        return f"{seconds} seconds"
    minutes = -(-seconds // 60)
    return "a minute" if minutes == 1 else f"{minutes} minutes"
