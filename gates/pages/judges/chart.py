"""A judge's agreement with the experts slice by slice, against the human ceiling: drawn as a gate run's is. Pure."""

from collections.abc import Sequence
from typing import Any, Final

from django.utils.html import format_html

from gates.calibrations.standing import Badge
from gates.judge_models import Calibration
from gates.pages.runs.forest_agreement import agreement_marks, agreement_notes, agreement_shapes
from gates.pages.runs.forest_axes import axis
from gates.pages.runs.forest_marks import LEFT, NARROW_SIDE, RIGHT, Mark, Row, band, names, narrow_name
from gates.scorecards.words import Part, beside, interval, limit_text, spoken
from gates.statistics.limits import shown
from relcontrol.web.charts import Chart, Key
from relcontrol.web.templatetags.relcontrol_web import status
from relcontrol.web.words import percent

SHOWN: Final = 30
BOTTOM: Final = 56
COLUMNS: Final = (
    *("Slice", "May it decide?", "Agreement ρ", "90 % interval", "Threshold", "Human ceiling", "Of the ceiling"),
    *("Answers", "Scored", "Experts", "α"),
)
Found = tuple[Calibration, Badge]


def calibration_chart(found: Sequence[Found]) -> Chart | None:
    """The chart of the newest measurement of each slice, in their order; None where there is none."""
    if not found:
        return None
    parts = [_part(row) for row, _ in found[:SHOWN]]
    return Chart(
        id="calibration",
        figure=_figure(parts, narrow=False),
        narrow=_figure(parts, narrow=True),
        caption=caption(found),
        columns=COLUMNS,
        rows=[_cells(row, badge) for row, badge in found],
        key=_key(parts),
        size="h-auto",
    )


def caption(found: Sequence[Found]) -> str:
    """The finding in a sentence."""
    able = [row.slice.name for row, badge in found if badge.tone == "pass"]
    failed = [row.slice.name for row, badge in found if badge.tone == "fail"]
    counted = f"It may decide on {len(able):,} of {len(found):,} slice{'' if len(found) == 1 else 's'}"
    if failed:
        return f"{counted}; it disagrees with your experts on {spoken(failed[:4])}."
    best = max((row for row, _ in found if row.rho is not None), key=lambda row: row.rho or 0.0, default=None)
    if best is None:
        return f"{counted}: nowhere could its agreement be measured."
    return f"{counted}; it agrees best on {best.slice.name}, {shown(best.rho or 0.0)}."


def _part(row: Calibration) -> Part:
    """A measurement as a gate run's document says it."""
    document = row.document
    agreement = {name: document[name] for name in ("rho", "ci90", "threshold", "n", "ceiling")}
    return {
        "name": row.slice.name,
        "verdict": row.outcome,
        "agreement": agreement | {"verdict": row.outcome, "previous_rho": None, "source": "calibration"},
        "change": {"agreement_movement": None},
    }


def _key(parts: Sequence[Part]) -> list[Key]:
    lines = [Key("estimate", "agreement and 90 % interval")]
    if any(part["verdict"] == "fail" for part in parts):
        lines.append(Key("below", "where it disagrees", failing=True))
    lines.append(Key("threshold", "threshold of the slice"))
    if any(part["agreement"]["ceiling"] is not None for part in parts):
        lines.append(Key("ceiling", "beyond the human ceiling"))
    return lines


def _figure(parts: Sequence[Part], *, narrow: bool) -> Mark:
    rows = [Row(part, -place - (0.08 if narrow else 0.0), place) for place, part in enumerate(parts)]
    marks = [mark for row in rows for mark in agreement_marks(row, None, narrow=narrow)]
    notes = [note for row in rows for note in (narrow_name(row) if narrow else names(row))]
    shapes = [shape for row in rows for shape in (*band(row, narrow=narrow), *agreement_shapes(row))]
    sides = {"l": NARROW_SIDE, "r": NARROW_SIDE} if narrow else {"l": LEFT, "r": RIGHT}
    quiet: dict[str, Any] = {"showgrid": False, "showline": False, "showticklabels": False, "ticks": ""}
    layout = {
        "height": BOTTOM + len(parts) * (78 if narrow else 62),
        "shapes": shapes,
        "annotations": [*notes, *agreement_notes(rows, None, narrow=narrow)],
        "margin": {**sides, "t": 4, "b": BOTTOM},
        "yaxis": {"range": [-len(parts) + 0.5, 0.5], **quiet},
        "xaxis": axis("x", (0.0, 1.0), parts, narrow=narrow),
    }
    return {"data": marks, "layout": layout}


def _cells(row: Calibration, badge: Badge) -> Sequence[object]:
    document = row.document
    threshold, share, coverage = (document[name] for name in ("threshold", "share_of_ceiling", "coverage"))
    return (
        format_html('<span class="text-nowrap">{}</span>', row.slice.name),
        status(badge.tone, badge.word),
        beside(document["rho"], threshold),
        interval(document["ci90"], threshold),
        limit_text(threshold),
        beside(document["ceiling"], None),
        "–" if share is None else percent(share),
        f"{document['n']:,}",
        "–" if coverage is None else percent(coverage),
        f"{document['raters']:,}",
        beside(document["alpha"], None),
    )
