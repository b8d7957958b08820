"""The forest plot of a run: agreement, quality and change of its worst slices, one row each (ui.md screen 5).

Shape and tint of a row carry its verdict; colour only repeats it.
"""

from collections.abc import Sequence
from typing import Final

from gates.pages.runs.forest_agreement import agreement_marks, agreement_notes, agreement_shapes
from gates.pages.runs.forest_axes import NARROW, WIDE, axis
from gates.pages.runs.forest_marks import LEFT, NARROW_SIDE, RIGHT, Mark, Row, band, names, narrow_name
from gates.pages.runs.forest_panels import panel_marks, panel_notes, panel_shapes
from gates.scorecards.headline import slice_finding
from gates.scorecards.words import Part, beside, interval, limit_text
from gates.statistics.limits import meets
from relcontrol.web.charts import Chart, Key

SHOWN: Final = 30
BOTTOM: Final = 56


def forest(document: Part, *, previous: str | None) -> Chart | None:
    """The chart of a finished run; None where nothing was measured."""
    parts = [part for part in document["slices"] if part["agreement"] is not None][:SHOWN]
    if not parts:
        return None
    return Chart(
        id="forest",
        figure=_figure(parts, previous, narrow=False),
        narrow=_figure(parts, previous, narrow=True),
        caption=caption(document),
        columns=(),
        rows=(),
        key=_key(parts, previous),
        size="h-auto",
    )


def caption(document: Part) -> str:
    """The finding of the picture in a sentence."""
    parts = [part for part in document["slices"] if part["agreement"] is not None]
    failed = [part for part in parts if part["verdict"] == "fail"]
    first = _picture(failed[0]) if failed else "No slice fails."
    rest = [part for part in parts if part not in failed]
    met = all(
        meets(p["agreement"]["rho"], p["agreement"]["threshold"]) for p in rest if p["agreement"]["rho"] is not None
    )
    second = " Every other slice is at or right of its own." if met and rest and failed else ""
    cut = f" The chart shows the worst {SHOWN} of {len(parts):,}." if len(parts) > SHOWN else ""
    return f"{first}{second}{cut}"


def _picture(part: Part) -> str:
    answer, name = part["agreement"], part["name"]
    if answer["verdict"] != "fail":
        return f"{slice_finding(part)}."
    span, limit = interval(answer["ci90"], answer["threshold"]), limit_text(answer["threshold"])
    if answer["evidence"] == "proven":
        return f"The whole 90 % interval of {name}, {span}, lies left of its threshold of {limit}."
    value = beside(answer["rho"], answer["threshold"])
    return f"The estimate of {name}, {value}, lies left of its threshold of {limit}."


def _key(parts: Sequence[Part], previous: str | None) -> list[Key]:
    lines = [Key("estimate", "estimate and 90 % interval")]
    if any(part["verdict"] == "fail" for part in parts):
        lines.append(Key("below", "of a slice that fails", failing=True))
    lines.append(Key("threshold", "threshold, floor, or no change"))
    if previous and any(part["agreement"]["previous_rho"] is not None for part in parts):
        lines.append(Key("previous", f"previous release, {previous}"))
    if any(part["agreement"]["ceiling"] is not None for part in parts):
        lines.append(Key("ceiling", "beyond the human ceiling"))
    return lines


def _figure(parts: Sequence[Part], previous: str | None, *, narrow: bool) -> Mark:
    rows = [Row(part, -place - (0.08 if narrow else 0.0), place) for place, part in enumerate(parts)]
    marks = [mark for row in rows for mark in agreement_marks(row, previous, narrow=narrow)]
    notes = [note for row in rows for note in (narrow_name(row) if narrow else names(row))]
    notes += agreement_notes(rows, previous, narrow=narrow)
    shapes = [shape for row in rows for shape in (*band(row, narrow=narrow), *agreement_shapes(row))]
    if not narrow:
        marks += [mark for row in rows for mark in panel_marks(row)]
        shapes += [shape for row in rows for shape in panel_shapes(row)]
        notes += [note for row in rows for note in panel_notes(row)]
    return {"data": marks, "layout": _layout(parts, shapes, notes, narrow=narrow)}


def _layout(parts: Sequence[Part], shapes: list[Mark], notes: list[Mark], *, narrow: bool) -> Mark:
    count, panels = len(parts), NARROW if narrow else WIDE
    sides = {"l": NARROW_SIDE, "r": NARROW_SIDE} if narrow else {"l": LEFT, "r": RIGHT}
    axes = {name.replace("x", "xaxis"): axis(name, domain, parts, narrow=narrow) for name, domain in panels.items()}
    height = BOTTOM + count * (_row_height(count) + (12 if narrow else 0))
    quiet: Mark = {"showgrid": False, "showline": False, "showticklabels": False, "ticks": ""}
    return {
        "height": height,
        "shapes": shapes,
        "annotations": notes,
        "margin": {**sides, "t": 4, "b": BOTTOM},
        "yaxis": {"range": [-count + 0.5, 0.5], **quiet},
        **axes,
    }


def _row_height(count: int) -> int:
    return max(52, min(66, 96 - 2 * count))
