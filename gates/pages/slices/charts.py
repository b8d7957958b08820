"""Charts of a slice: its agreement and quality release by release, and what a draft would have made of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from gates.slices.drafts import Draft, stopped_words, would_have
from gates.slices.points import Estimate, Point
from gates.statistics.limits import shown, shown_limit
from gates.statistics.policies import Outcome
from relcontrol.web.charts import Chart, Key, token
from relcontrol.web.templatetags.relcontrol_web import status

NOT_MEASURED = "not measured"
WORDS = {
    Outcome.PASS: ("pass", "Passes"),
    Outcome.FAIL: ("fail", "Fails"),
    Outcome.REVIEW: ("hold", "To sign"),
    Outcome.INSUFFICIENT: ("hold", "Not enough"),
}
MARKS = {
    "pass": {"symbol": "circle", "size": 10, "color": token("ink")},
    "fail": {"symbol": "octagon", "size": 14, "color": token("fail")},
    "hold": {"symbol": "circle-open", "size": 11, "color": token("hold"), "line": {"width": 2}},
}
STEPS = {"shape": "hvh", "dash": "dot", "width": 1.5, "color": token("ink-2")}
FEW_TICKS = {"nticks": 5, "tickangle": 0}
ROOM = 0.06
LIMITS = {"agreement": "Threshold", "quality": "Floor"}

Runs = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Spot:
    """One release in a chart: its value, what was or would be said of it, and the limit of its time."""

    label: str
    value: float | None
    outcome: Outcome
    limit: float | None


def agreement_chart(points: Sequence[Point], runs: Runs) -> Chart:
    """Agreement over releases, with the thresholds of their time as steps; `runs` says where gate runs are."""
    spots = _spots(points, lambda point: point.agreement, lambda point: point.threshold, "agreement")
    caption = _history_caption("Agreement", "threshold", spots)
    return _history("agreement", caption, points, spots, lambda point: point.agreement, runs)


def quality_chart(points: Sequence[Point], runs: Runs) -> Chart:
    """Mean quality over releases, with the floors of their time as steps."""
    spots = _spots(points, lambda point: point.quality, lambda point: point.floor, "quality")
    caption = _history_caption("Quality", "floor", spots)
    return _history("quality", caption, points, spots, lambda point: point.quality, runs)


def backtest_chart(draft: Draft, points: Sequence[Point]) -> Chart:
    """What the draft would have made of the last releases."""
    labels = _labels(points)
    spots = [
        Spot(label, point.agreement.value, would_have(draft, point), point.threshold)
        for label, point in zip(labels, points, strict=True)
    ]
    rows = [(spot.label, _number(spot.value), shown_limit(spot.limit or 0.0), _status(spot.outcome)) for spot in spots]
    return Chart(
        id="backtest",
        figure=_figure(spots, draft.threshold),
        narrow=_figure(spots, draft.threshold, narrow=True),
        caption=stopped_words(draft, points),
        columns=("Release", "Agreement ρ", "Threshold then", "With this draft"),
        rows=rows,
        key=(
            Key("dot", "would have passed"),
            Key("below", "would have been stopped", failing=True),
            Key("previous", "would have been held"),
            Key("line", "this draft"),
            Key("dotted", "threshold in force then"),
        ),
        size="strip",
    )


def _history(
    name: str,
    caption: str,
    points: Sequence[Point],
    spots: Sequence[Spot],
    of: Callable[[Point], Estimate],
    runs: Runs,
) -> Chart:
    limit_name = LIMITS[name]
    rows = [
        (
            format_html('<a href="{}">{}</a>', runs(point.run), spot.label),
            _number(spot.value),
            _interval(of(point)),
            f"{of(point).n:,}",
            "none" if spot.limit is None else shown_limit(spot.limit),
            _status(spot.outcome),
        )
        for spot, point in zip(reversed(spots), reversed(points), strict=True)
    ]
    return Chart(
        id=f"{name}-history",
        figure=_figure(spots, None),
        narrow=_figure(spots, None, narrow=True),
        caption=caption,
        columns=("Release", name.capitalize(), "90 % interval", "Cases", f"{limit_name} then", "Verdict"),
        rows=rows,
        key=(
            Key("dot", "passed"),
            Key("below", "failed", failing=True),
            Key("previous", "not enough, or to sign"),
            Key("dotted", f"{limit_name.lower()} in force then"),
        ),
        size="strip",
    )


def _spots(
    points: Sequence[Point],
    of: Callable[[Point], Estimate],
    limit_of: Callable[[Point], float | None],
    question: str,
) -> list[Spot]:
    return [
        Spot(label, of(point).value, _said(point, question), limit_of(point))
        for label, point in zip(_labels(points), points, strict=True)
    ]


def _said(point: Point, question: str) -> Outcome:
    return Outcome((point.document.get(question) or {}).get("verdict") or Outcome.INSUFFICIENT)


def _labels(points: Sequence[Point]) -> list[str]:
    """The releases' names; with their application where there are several."""
    several = len({point.application for point in points}) > 1
    return [f"{point.application} {point.release}" if several else point.release for point in points]


def _history_caption(what: str, limit_name: str, spots: Sequence[Spot]) -> str:
    if not spots:
        return f"{what} has not been measured yet."
    last, passed = spots[-1], sum(spot.outcome is Outcome.PASS for spot in spots)
    limit = "" if last.limit is None else f" beside a {limit_name} of {shown_limit(last.limit)}"
    value = NOT_MEASURED if last.value is None else shown(last.value)
    counted = f"it passed in {passed} of the last {len(spots)} releases" if len(spots) > 1 else "the only release yet"
    return f"{what} of {last.label}: {value}{limit}; {counted}.{_moves(limit_name, spots)}"


def _moves(limit_name: str, spots: Sequence[Spot]) -> str:
    """The newest move of the limit."""
    if limit_name != "threshold":
        return ""
    pairs = [(a, b) for a, b in pairwise(spots) if a.limit != b.limit]
    if not pairs:
        return ""
    before, after = pairs[-1]
    return (
        f" The {limit_name} went from {shown_limit(before.limit or 0.0)} to {shown_limit(after.limit or 0.0)} "
        f"with {after.label}."
    )


def _figure(spots: Sequence[Spot], draft: float | None, *, narrow: bool = False) -> dict[str, Any]:
    """The figure; a narrow one has room for the numbers of what failed only."""
    measured = [spot for spot in spots if spot.value is not None]
    data = [_steps(spots), *(_marks(kind, measured, numbers=kind == "fail" or not narrow) for kind in MARKS)]
    layout: dict[str, Any] = {
        "margin": {"l": 44, "r": 24 if draft is None or narrow else 84, "t": 22, "b": 36},
        "xaxis": {"type": "category", "showgrid": False, "automargin": True, **(FEW_TICKS if narrow else {})}
        | {"categoryarray": [spot.label for spot in spots]},
        "yaxis": {"range": _range(spots, draft), "tickformat": ".2f", "nticks": 5},
    }
    if draft is not None:
        layout |= _draft_line(draft, inside=narrow)
    return {"data": data, "layout": layout}


def _steps(spots: Sequence[Spot]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [spot.label for spot in spots],
        "y": [spot.limit for spot in spots],
        "line": STEPS,
        "hoverinfo": "skip",
    }


def _marks(kind: str, spots: Sequence[Spot], *, numbers: bool) -> dict[str, Any]:
    mine = [spot for spot in spots if WORDS[spot.outcome][0] == kind]
    return {
        "type": "scatter",
        "mode": "markers+text" if numbers else "markers",
        "x": [spot.label for spot in mine],
        "y": [spot.value for spot in mine],
        "text": [_number(spot.value) for spot in mine],
        "textposition": "bottom center" if kind == "fail" else "top center",
        "textfont": {"color": token("fail" if kind == "fail" else "ink")},
        "marker": MARKS[kind],
        "hovertemplate": "%{x}: %{y:.3f}<extra></extra>",
    }


def _range(spots: Sequence[Spot], draft: float | None) -> list[float]:
    values = [value for spot in spots for value in (spot.value, spot.limit) if value is not None]
    values += [] if draft is None else [draft]
    return [min(values, default=0.0) - ROOM, max(values, default=1.0) + ROOM]


def _draft_line(draft: float, *, inside: bool) -> dict[str, Any]:
    line = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": draft, "y1": draft}
    beside = {"xanchor": "right", "yanchor": "top"} if inside else {"xanchor": "left", "xshift": 6}
    words = {"xref": "paper", "x": 1, "y": draft, "showarrow": False, **beside}
    return {
        "shapes": [line | {"line": {"color": token("ink"), "width": 2}}],
        "annotations": [words | {"text": f"draft {shown_limit(draft)}"}],
    }


def _number(value: float | None) -> str:
    return NOT_MEASURED if value is None else shown(value)


def _interval(found: Estimate) -> str:
    return "" if found.low is None or found.high is None else f"{shown(found.low)} to {shown(found.high)}"


def _status(outcome: Outcome) -> SafeString:
    kind, word = WORDS[outcome]
    return status(kind, word)
