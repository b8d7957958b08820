"""A line of readings over time as inline SVG: the candidate, what it is compared with, and its limit. Pure.

Everything is in the monitor's own unit. The shaded side of the limit is the one that breaches.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

WIDTH: Final = 320
TOP, BOTTOM = 4, 76
MARGIN: Final = 0.25  # of the span between reference and limit, kept free on both sides


@dataclass(frozen=True, slots=True)
class Spark:
    """What the template draws: two heights, the shaded part, and the candidate's path."""

    path: str
    reference_y: str
    limit_y: str
    shaded_y: str
    shaded_height: str
    begins: str
    ends: str
    label: str


def spark(
    readings: Sequence[tuple[datetime, float]], *, reference: float, limit: float, above: bool, label: str
) -> Spark | None:
    """The drawing, None with fewer than two readings. `above`: whether what lies above the limit breaches."""
    if len(readings) < 2:
        return None
    low, high = _bounds([value for _, value in readings], reference, limit)

    def y(value: float) -> float:
        return BOTTOM - (min(high, max(low, value)) - low) / (high - low) * (BOTTOM - TOP)

    first, last = readings[0][0], readings[-1][0]
    length = max((last - first).total_seconds(), 1e-9)
    places = [((at - first).total_seconds() / length * WIDTH, y(value)) for at, value in readings]
    edge = y(limit)
    return Spark(
        path="M" + "L".join(f"{x:.1f} {height:.1f}" for x, height in places),
        reference_y=f"{y(reference):.1f}",
        limit_y=f"{edge:.1f}",
        shaded_y=f"{TOP if above else edge:.1f}",
        shaded_height=f"{edge - TOP if above else BOTTOM - edge:.1f}",
        begins=f"{first:%H:%M}",
        ends=f"{last:%H:%M}",
        label=label,
    )


def _bounds(values: Sequence[float], reference: float, limit: float) -> tuple[float, float]:
    """All values, but no further out than twice the limit's distance, so that a spike flattens nothing."""
    room = abs(limit - reference) or 1.0
    center = (limit + reference) / 2
    low = max(min(*values, reference, limit), center - 2 * room)
    high = min(max(*values, reference, limit), center + 2 * room)
    return low - MARGIN * room, high + MARGIN * room
