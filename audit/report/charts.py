"""A gate run as a forest plot: three panels in one figure, as plain shapes that a template draws. Pure.

Each row is a slice, worst first: agreement with its threshold and the previous release, quality with its floor, and
the change around zero. Shape and word tell the verdict, never colour alone. Lengths are CSS pixels.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from audit.report.gate_runs import GateRun, Measure, SliceRow

ROW, HEAD, FOOT = 30.0, 34.0, 24.0
LABELS, PANEL, GAP, EDGE = 168.0, 150.0, 18.0, 8.0
WIDTH = LABELS + 3 * PANEL + 2 * GAP + EDGE
ROWS = 24
CUT = 30
TITLES = ("Agreement (Spearman ρ)", "Quality (mean, 0 to 1)", "Change in quality")
STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0)
MOST_TICKS = 4
COLOURS = {"fail": "#a40e26", "hold": "#7d4e00", "skip": "#646e79"}


@dataclass(frozen=True, slots=True)
class Mark:
    """One measure on its panel. Positions are text, ready for an attribute; empty where there is nothing."""

    kind: str
    y: str
    x: str = ""
    low: str = ""
    high: str = ""
    limit: str = ""
    before: str = ""
    text: str = ""
    text_x: str = ""
    text_y: str = ""
    top: str = ""
    bottom: str = ""
    below: str = ""

    @property
    def colour(self) -> str:
        """Of what is drawn; the shape says the same."""
        return COLOURS.get(self.kind, "#1a1f26")


@dataclass(frozen=True, slots=True)
class Row:
    """A slice's line of the figure."""

    name: str
    kind: str
    word: str
    top: str
    baseline: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """One axis with its ticks."""

    title: str
    left: str
    right: str
    middle: str
    zero: str
    ticks: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """Everything that the template draws."""

    width: str
    height: str
    axis_y: str
    ticks_y: str
    alt: str
    caption: str
    panels: tuple[Panel, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class _Scale:
    """From values to pixels."""

    left: float
    low: float
    high: float

    def x(self, value: float) -> float:
        inside = min(max(value, self.low), self.high)
        return self.left + (inside - self.low) / (self.high - self.low) * PANEL

    def ticks(self) -> list[tuple[str, str]]:
        span = self.high - self.low
        step = next((step for step in STEPS if span / step <= MOST_TICKS), span)
        first = -int(-self.low / step) if self.low < 0 else int(self.low / step + 0.999999)
        found, at = [], first
        while at * step <= self.high + 1e-9:
            found.append((_px(self.x(at * step)), f"{at * step:.2f}".replace("-", "−")))
            at += 1
        return found


def figures(run: GateRun) -> list[Figure]:
    """The run's figures, each of at most `ROWS` slices; none where the detail was erased."""
    return [_figure(run, run.slices[at : at + ROWS], at) for at in range(0, len(run.slices), ROWS)]


def _figure(run: GateRun, rows: Sequence[SliceRow], first: int) -> Figure:
    scales = [_scale(run.slices, index) for index in range(3)]
    bottom = HEAD + ROW * len(rows)
    panels = [_panel(title, scale, index == 2) for index, (title, scale) in enumerate(zip(TITLES, scales, strict=True))]
    number = f", slices {first + 1} to {first + len(rows)}" if len(run.slices) > ROWS else ""
    return Figure(
        width=_px(WIDTH),
        height=_px(bottom + FOOT),
        axis_y=_px(bottom),
        ticks_y=_px(bottom + 14),
        alt=f"Forest plot of {run.title}{number}. " + " ".join(_said(row) for row in rows),
        caption=f"{_finding(rows)}{number}",
        panels=tuple(panels),
        rows=tuple(_row(row, HEAD + ROW * index, scales) for index, row in enumerate(rows)),
    )


def _scale(rows: Sequence[SliceRow], index: int) -> _Scale:
    """An axis that holds every estimate, interval and limit, and for the change zero in its middle."""
    values = sorted(value for row in rows for value in _values(_measures(row)[index]))
    left = LABELS + index * (PANEL + GAP)
    if index == 2:
        reach = max([0.05, *(abs(value) for value in values)]) * 1.1
        return _Scale(left, -reach, reach)
    low, high = (values[0], values[-1]) if values else (0.0, 1.0)
    room = max((high - low) * 0.08, 0.02)
    return _Scale(left, max(low - room, -1.0 if index == 0 else 0.0), min(high + room, 1.0))


def _panel(title: str, scale: _Scale, has_zero: bool) -> Panel:
    left, right = scale.left, scale.left + PANEL
    zero = _px(scale.x(0)) if has_zero else ""
    return Panel(title, _px(left), _px(right), _px((left + right) / 2), zero, tuple(scale.ticks()))


def _row(row: SliceRow, top: float, scales: Sequence[_Scale]) -> Row:
    middle = top + ROW * 0.57
    marks = [_mark(measure, middle, scale) for measure, scale in zip(_measures(row), scales, strict=True)]
    name = row.name if len(row.name) <= CUT else f"{row.name[: CUT - 1]}…"
    return Row(name, row.kind, row.word, _px(top), _px(middle + 3), tuple(marks))


def _mark(measure: Measure, y: float, scale: _Scale) -> Mark:
    ends = {"top": _px(y - 5.5), "bottom": _px(y + 8), "below": _px(y + 7.5), "text_y": _px(y - 7)}
    limit = _px(scale.x(measure.limit)) if measure.limit is not None else ""
    if measure.value is None:
        middle = _px(scale.left + PANEL / 2)
        return Mark("skip", _px(y), limit=limit, text="not measured", text_x=middle, **(ends | {"text_y": _px(y + 3)}))
    x = scale.x(measure.value)
    return Mark(
        kind=measure.kind,
        y=_px(y),
        x=_px(x),
        low=_px(scale.x(measure.low)) if measure.low is not None else "",
        high=_px(scale.x(measure.high)) if measure.high is not None else "",
        limit=limit,
        before=_px(scale.x(measure.before)) if measure.before is not None else "",
        text=measure.shown,
        text_x=_px(min(max(x, scale.left + 12), scale.left + PANEL - 12)),
        **ends,
    )


def _finding(rows: Sequence[SliceRow]) -> str:
    """What the figure shows, in a sentence."""
    worse = [row.name for row in rows if row.kind != "pass"]
    if not worse:
        return "Every slice passes its questions; the thick mark is the limit of each"
    names = ", ".join(worse[:3]) + (f" and {len(worse) - 3} more" if len(worse) > 3 else "")
    return f"{names}: the rows that do not pass stand first"


def _said(row: SliceRow) -> str:
    agreement, quality = row.agreement, row.quality
    return (
        f"{row.name}: {row.word.lower()}; agreement {agreement.shown}, threshold {agreement.limit_shown}; "
        f"quality {quality.shown}, floor {quality.limit_shown}."
    )


def _measures(row: SliceRow) -> tuple[Measure, Measure, Measure]:
    return row.agreement, row.quality, row.change


def _values(measure: Measure) -> Iterator[float]:
    for value in (measure.value, measure.low, measure.high, measure.limit, measure.before):
        if value is not None:
            yield value


def _px(value: float) -> str:
    return f"{value:.1f}"
