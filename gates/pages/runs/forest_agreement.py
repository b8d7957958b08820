"""The agreement panel of the forest plot: estimate, interval, threshold, previous release, human ceiling. Pure."""

from collections.abc import Sequence

from gates.pages.runs.forest_marks import Mark, Row, estimate, label, note, upright
from gates.scorecards.words import Part, beside, limit_text
from gates.statistics.limits import shown, shown_size
from relcontrol.web.charts import token


def agreement_marks(row: Row, previous: str | None, *, narrow: bool) -> list[Mark]:
    """Estimate and interval, and the previous release's ring below them."""
    answer = row.part["agreement"]
    marks = estimate(row, "x", answer["rho"], answer["ci90"], failed=answer["verdict"] == "fail")
    before = answer["previous_rho"]
    if before is not None and previous:
        ring = {"symbol": "circle-open", "size": 8, "color": token("ink-2"), "line": {"width": 1.5}}
        at: Mark = {
            "x": [before],
            "y": [row.y - (0.2 if narrow else 0.27)],
            "mode": "markers",
            "marker": ring,
            "cliponaxis": False,
        }
        marks.append({**at, "hovertemplate": f"{label(previous)}: {shown(before)}<extra></extra>"})
    return marks


def agreement_shapes(row: Row) -> list[Mark]:
    """The threshold, and the field beyond the human ceiling."""
    answer = row.part["agreement"]
    shapes: list[Mark] = []
    if (ceiling := answer["ceiling"]) is not None:
        field = {"xref": "x", "yref": "y", "x0": ceiling, "x1": 1, "y0": row.y - 0.25, "y1": row.y + 0.25}
        fill = {"fillcolor": token("neutral-bg"), "opacity": 0.6, "line": {"width": 0}, "layer": "below"}
        shapes.append({"type": "rect", **field, **fill})
        dots = {"color": token("ink-3"), "width": 1, "dash": "dot"}
        shapes.append(upright("x", ceiling, row.y, 0.25, line=dots, layer="below"))
    shapes.append(upright("x", answer["threshold"], row.y, 0.3, line={"color": token("ink"), "width": 2.5}))
    return shapes


def agreement_notes(rows: Sequence[Row], previous: str | None, *, narrow: bool) -> list[Mark]:
    """Each estimate in figures, thresholds where they differ from the first, proven drops as arrows."""
    notes: list[Mark] = []
    first = rows[0].part["agreement"]["threshold"]
    for row in rows:
        answer = row.part["agreement"]
        notes += _value_notes(row, answer)
        if row.place == 0 or (answer["threshold"] != first and not narrow):
            notes.append(_threshold_note(row, answer))
        if answer["rho"] is not None and row.part["change"]["agreement_movement"] == "dropped" and previous:
            notes += _arrow(row, answer, previous, narrow=narrow)
    return notes


def _value_notes(row: Row, answer: Part) -> list[Mark]:
    if answer["rho"] is None:
        where: Mark = {"xref": "x domain", "yref": "y", "xanchor": "left"}
        return [note(0, row.y, "cannot be judged", size=12, colour="ink-2", **where)]
    near = abs(answer["rho"] - answer["threshold"]) < 0.03
    colour = "fail" if answer["verdict"] == "fail" else "ink"
    where = {"xref": "x", "yref": "y", "yanchor": "bottom", "yshift": 6, "xshift": 16 if near else 0}
    text = beside(answer["rho"], answer["threshold"])
    return [note(answer["rho"], row.y, text, size=13, colour=colour, font={"weight": 600}, **where)]


def _threshold_note(row: Row, answer: Part) -> Mark:
    right = answer["rho"] is not None and answer["rho"] >= answer["threshold"]
    side: Mark = {"xanchor": "right", "xshift": -5} if right else {"xanchor": "left", "xshift": 5}
    text = f"threshold {limit_text(answer['threshold'])}"
    return note(answer["threshold"], row.y + 0.24, text, size=11, colour="ink-2", xref="x", yref="y", **side)


def _arrow(row: Row, answer: Part, previous: str, *, narrow: bool) -> list[Mark]:
    """From what the previous release reached to what this one does, where the drop is proven."""
    y, before, after = row.y - (0.2 if narrow else 0.27), answer["previous_rho"], answer["rho"]
    size = shown_size(before - after)
    text = f"\N{MINUS SIGN}{size}" if narrow else f"\N{MINUS SIGN}{size} since {label(previous)}"
    head = {"arrowhead": 2, "arrowsize": 1.1, "arrowwidth": 1.5, "arrowcolor": token("fail")}
    tail = {"ax": before - 0.012, "ay": y, "axref": "x", "ayref": "y", "xref": "x", "yref": "y"}
    return [
        {"x": after + 0.006, "y": y, "text": "", "showarrow": True, **tail, **head},
        note(before + 0.014, y, text, size=11, colour="fail", xref="x", yref="y", xanchor="left"),
    ]
