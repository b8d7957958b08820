"""The two panels beside agreement: quality against its floor, change around zero. Pure."""

from gates.pages.runs.forest_marks import Mark, Row, estimate, note, upright
from gates.scorecards.words import beside
from gates.statistics.limits import shown_change
from relcontrol.web.charts import token


def panel_marks(row: Row) -> list[Mark]:
    """Both estimates with their intervals."""
    quality, change = row.part["quality"], row.part["change"]
    return [
        *estimate(row, "x2", quality["mean"], quality["ci90"], failed=quality["verdict"] == "fail"),
        *estimate(row, "x3", change["mean_difference"], change["ci90"], failed=_dropped(row), limit=0.0),
    ]


def panel_shapes(row: Row) -> list[Mark]:
    """The floor, and the line of no change."""
    bar, thin = {"color": token("ink"), "width": 2.5}, {"color": token("ink-3"), "width": 1.5}
    floor = row.part["quality"]["floor"]
    shapes = [upright("x2", floor, row.y, 0.3, line=bar)] if floor is not None else []
    if row.part["change"]["mean_difference"] is not None:
        shapes.append(upright("x3", 0, row.y, 0.5, line=thin, layer="below"))
    return shapes


def panel_notes(row: Row) -> list[Mark]:
    """Both estimates in figures, or that there are none."""
    quality, change = row.part["quality"], row.part["change"]
    mean, difference = quality["mean"], change["mean_difference"]
    return [
        _absent("x2", row, "not measured")
        if mean is None
        else _figure("x2", row, mean, beside(mean, quality["floor"]), failed=quality["verdict"] == "fail"),
        _absent("x3", row, "not compared")
        if difference is None
        else _figure("x3", row, difference, shown_change(difference), failed=_dropped(row)),
    ]


def _dropped(row: Row) -> bool:
    return bool(row.part["change"]["movement"] == "dropped")


def _figure(axis: str, row: Row, value: float, text: str, *, failed: bool) -> Mark:
    colour = "fail" if failed else "ink"
    return note(value, row.y, text, colour=colour, xref=axis, yref="y", yanchor="bottom", yshift=5)


def _absent(axis: str, row: Row, text: str) -> Mark:
    return note(0, row.y, text, colour="ink-2", xref=f"{axis} domain", yref="y", xanchor="left")
