"""What a row of the forest plot is made of, whichever panel it stands in. Pure plotly data.

Colours are tokens, names are escaped, and no label has markup, which the policy blocks.
"""

from dataclasses import dataclass
from typing import Any, Final

from gates.scorecards.words import SOURCES, Part, interval
from gates.statistics.limits import shown, shown_change
from relcontrol.web.charts import token

LEFT, RIGHT, NARROW_SIDE = 208, 32, 16  # pixels beside the panels
FAR: Final = 4000  # beyond the right edge of every window: the picture is cut there
LONGEST_NAME, LONGEST_NARROW = 28, 44
Mark = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One slice at its height; missing numbers are None."""

    part: Part
    y: float
    place: int

    @property
    def failed(self) -> bool:
        """This slice is what stops the release."""
        return bool(self.part["verdict"] == "fail")

    @property
    def colour(self) -> str:
        """Ink, or the colour of a failure."""
        return token("fail" if self.failed else "ink")


def cut(text: str, longest: int) -> str:
    """A name that fits beside its row."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def label(text: str) -> str:
    """A text that a person wrote, so that plotly takes none of it for markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("%{", "% {")


def note(x: float, y: float, text: str, *, size: int = 12, colour: str = "ink", **more: Any) -> Mark:
    """A text in the picture; `more` says on which axes and to which side."""
    font = {"size": size, "color": token(colour), **more.pop("font", {})}
    return {"x": x, "y": y, "text": text, "showarrow": False, "font": font, **more}


def upright(axis: str, x: float, y: float, half: float, *, line: Mark, layer: str = "above") -> Mark:
    """A limit: an upright line across a row."""
    at = {"xref": axis, "yref": "y", "x0": x, "x1": x, "y0": y - half, "y1": y + half}
    return {"type": "line", **at, "line": line, "layer": layer}


def band(row: Row, *, narrow: bool) -> list[Mark]:
    """The tint of a failing row from edge to edge, and the line above every other row."""
    left = NARROW_SIDE if narrow else LEFT
    bleed: Mark = {
        "xref": "paper",
        "yref": "y",
        "xsizemode": "pixel",
        "xanchor": 0,
        "x0": -left,
        "x1": FAR,
        "layer": "below",
    }
    top, bottom = -row.place + 0.5, -row.place - 0.5
    shapes: list[Mark] = []
    if row.failed:
        tint = {"fillcolor": token("fail-bg"), "opacity": 0.5, "line": {"width": 0}}
        shapes.append({"type": "rect", **bleed, "y0": bottom, "y1": top, **tint})
    if row.place:
        shapes.append({"type": "line", **bleed, "y0": top, "y1": top, "line": {"color": token("line"), "width": 1}})
    return shapes


def estimate(
    row: Row, axis: str, value: float | None, ends: Any, *, failed: bool, limit: float | None = None
) -> list[Mark]:
    """A dot with its interval; an octagon where this question fails."""
    if value is None:
        return []
    colour, marks = token("fail" if failed else "ink"), []
    if ends is not None and None not in ends:
        line = {"color": colour, "width": 3}
        marks.append({"x": list(ends), "y": [row.y, row.y], "mode": "lines", "line": line, "hoverinfo": "skip"})
    size = (15 if failed else 11) + (2 if axis == "x" and failed else 0)
    edge = {"color": token("surface"), "width": 1.5}
    marker = {"symbol": "octagon" if failed else "circle", "size": size, "color": colour, "opacity": 1, "line": edge}
    number = shown(value) if limit is None else shown_change(value)
    said = f"{label(row.part['name'])}: {number} ({interval(ends, None)})"
    dot: Mark = {"x": [value], "y": [row.y], "mode": "markers", "marker": marker, "cliponaxis": False}
    marks.append({**dot, "hovertemplate": f"{said}<extra></extra>"})
    return [{**mark, "xaxis": axis, "yaxis": "y", "type": "scatter"} for mark in marks]


def names(row: Row) -> list[Mark]:
    """The slice's name at the left, and what its agreement rests on below it."""
    side: Mark = {"xref": "paper", "yref": "y", "xanchor": "left", "xshift": 20 - LEFT}
    name = cut(row.part["name"], LONGEST_NAME)
    return [
        note(0, row.y + 0.14, label(name), size=13, font={"weight": 550}, **side),
        note(0, row.y - 0.18, _basis(row.part["agreement"]), size=11, colour="ink-2", **side),
    ]


def narrow_name(row: Row) -> list[Mark]:
    """The same above the row, on a phone."""
    text = f"{label(cut(row.part['name'], LONGEST_NARROW))} · n {row.part['agreement']['n']:,}"
    side: Mark = {"xref": "paper", "yref": "y", "xanchor": "left", "yanchor": "top"}
    return [note(0, -row.place + 0.46, text, size=13, **side)]


def _basis(answer: Part) -> str:
    return f"n {answer['n']:,} · {SOURCES[answer['source']]}"
