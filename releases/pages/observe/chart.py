"""The chart of a slice's quality windows: quality, its floor, windows below it with their streak, and no data."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from gates.statistics.limits import shown, shown_beside, shown_limit
from relcontrol.web.charts import Chart, Key, token
from relcontrol.web.words import iso_time
from releases.observing.selectors import Point
from releases.pages.observe.periods import Period

DASH: Final = "–"
OF_ONE: Final = ("From, UTC", "Quality", "Floor", "In a row below", "Scored", "Late")
OF_MANY: Final = ("From, UTC", "Quality", "Lowest window", "Floor", "Windows", "Below", "No data", "Late")
ROOM: Final = 0.06
DAY_MS: Final = 86_400_000  # as plotly counts days
EMPTY_AT: Final = 0.05  # of the axis: where the marks of windows without data stand
BELOW: Final = {"symbol": "octagon", "size": 13, "color": token("fail")}
NO_DATA: Final = {"symbol": "circle-open", "size": 9, "color": token("hold"), "line": {"width": 2}}


def quality_chart(name: str, points: Sequence[Point], period: Period, until: datetime, *, floor: float | None) -> Chart:
    """Quality of the slice `name` over `period`, oldest point first; `floor` is today's."""
    return Chart(
        id="quality",
        figure=_figure(points, period, until),
        narrow=_figure(points, period, until, narrow=True),
        caption=caption(name, points, period, floor=floor),
        columns=OF_ONE if period.single else OF_MANY,
        rows=[_row(point, single=period.single) for point in reversed(points)],
        key=tuple(_key(points, period)),
        size="strip",
    )


def caption(name: str, points: Sequence[Point], period: Period, *, floor: float | None) -> str:
    """What the chart shows, in sentences."""
    scored = [point for point in points if point.mean is not None]
    if not points:
        return f"No window of {name} was closed in the last {period.name}."
    windows, below = sum(point.windows for point in points), sum(point.below for point in points)
    if not scored:
        return f"None of the {_windows(windows)} of {name} in the last {period.name} had enough answers to be judged."
    last = scored[-1].mean or 0.0
    beside = "" if floor is None else f", its floor is {shown_limit(floor, last)}"
    value = shown(last) if floor is None else shown_beside(last, floor)
    least = f"In the last {period.name} {_below(below, windows, floor)}{_empty(points)}."
    return f"Quality of {name} is {value}{beside}. {least} A point is {period.point}."


def _below(below: int, windows: int, floor: float | None) -> str:
    if floor is None:
        return f"{_windows(windows)} closed"
    return f"{'none' if not below else f'{below:,}'} of {_windows(windows)} lay below it"


def _empty(points: Sequence[Point]) -> str:
    empty, late = sum(point.empty for point in points), sum(point.late for point in points)
    lacking = f", {empty:,} had too few answers" if empty else ""
    tardy = f"; {late:,} answer{'s' if late > 1 else ''} came too late to count" if late else ""
    return f"{lacking}{tardy}"


def _windows(count: int) -> str:
    return f"{count:,} window{'' if count == 1 else 's'}"


def _row(point: Point, *, single: bool) -> tuple[str, ...]:
    quality = DASH if point.mean is None else shown(point.mean)
    floor = DASH if point.floor is None else shown_limit(point.floor, point.mean)
    if single:
        scored = f"{point.scored:,} of {point.requests:,}"
        return f"{point.at:%d %b %H:%M}", quality, floor, str(point.streak or DASH), scored, f"{point.late:,}"
    lowest = DASH if point.lowest is None else shown(point.lowest)
    counts = (f"{each:,}" for each in (point.windows, point.below, point.empty, point.late))
    return f"{point.at:%d %b %H:%M}", quality, lowest, floor, *counts


def _key(points: Sequence[Point], period: Period) -> Iterator[Key]:
    yield Key("line", "quality")
    if any(point.floor is not None for point in points):
        yield Key("dotted", "floor")
    if any(point.below for point in points):
        many = "window below the floor, with its place in the row"
        yield Key("below", many if period.single else "windows below the floor, and how many", failing=True)
    if any(point.empty for point in points):
        yield Key("previous", "no data")


def _figure(points: Sequence[Point], period: Period, until: datetime, *, narrow: bool = False) -> dict[str, Any]:
    low, high = _range(points)
    days = {"dtick": 2 * DAY_MS if narrow else DAY_MS, "tickformat": "%d %b"}
    hours = {"nticks": 4 if narrow else 8, "tickformat": "%H:%M"}
    ticks = {"range": [_x(until - period.length), _x(until)], **(days if period.length.days > 1 else hours)}
    return {
        "data": [_line(points), _floor(points), _marks(points, period, low), _empty_marks(points, low, high)],
        "layout": {
            "margin": {"l": 44, "r": 16, "t": 18, "b": 32},
            "xaxis": {"type": "date", "showgrid": False, "tickangle": 0, **ticks},
            "yaxis": {"range": [low, high], "tickformat": ".2f", "nticks": 5},
        },
    }


def _range(points: Sequence[Point]) -> tuple[float, float]:
    values = [each for point in points for each in (point.mean, point.floor) if each is not None]
    return max(-ROOM, min(values, default=0.0) - ROOM), min(1 + ROOM, max(values, default=1.0) + ROOM)


def _line(points: Sequence[Point]) -> dict[str, Any]:
    means = [point.mean for point in points]
    alone = {"mode": "lines+markers", "marker": {"size": 4, "color": token("ink")}} if len(means) < 40 else {}
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [_x(point.at) for point in points],
        "y": means,
        "line": {"color": token("ink"), "width": 2},
        "hovertemplate": "%{x|%d %b %H:%M}: %{y:.3f}<extra></extra>",
        **alone,
    }


def _floor(points: Sequence[Point]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [_x(point.at) for point in points],
        "y": [point.floor for point in points],
        "connectgaps": True,
        "line": {"shape": "hv", "dash": "dot", "width": 1.5, "color": token("ink-2")},
        "hoverinfo": "skip",
    }


def _marks(points: Sequence[Point], period: Period, low: float) -> dict[str, Any]:
    """Where windows lay below the floor; of a single window its place in the row, else how many."""
    mine = [point for point in points if point.below]
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": [_x(point.at) for point in mine],
        "y": [low if point.mean is None else point.mean for point in mine],
        "text": [str(point.streak if period.single else point.below) for point in mine],
        "textposition": "middle left",
        "textfont": {"color": token("fail")},
        "marker": BELOW,
        "hovertemplate": "%{x|%d %b %H:%M}: %{y:.3f}, below the floor<extra></extra>",
    }


def _empty_marks(points: Sequence[Point], low: float, high: float) -> dict[str, Any]:
    mine = [point for point in points if point.empty]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [_x(point.at) for point in mine],
        "y": [low + EMPTY_AT * (high - low)] * len(mine),
        "marker": NO_DATA,
        "hovertemplate": "%{x|%d %b %H:%M}: too few answers<extra></extra>",
    }


def _x(at: datetime) -> str:
    """Without its zone: plotly then writes UTC as it is, and not in the browser's time."""
    return iso_time(at).removesuffix("Z")
