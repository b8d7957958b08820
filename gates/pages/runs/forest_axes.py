"""The axes of the forest plot: from where to where, with which ticks. Pure."""

import math
from collections.abc import Iterable, Sequence
from typing import Final

from gates.pages.runs.forest_marks import Mark
from gates.scorecards.words import Part
from gates.statistics.limits import shown, shown_change
from relcontrol.web.charts import token

STEP: Final = 0.2
Panels = dict[str, tuple[float, float]]
WIDE: Final[Panels] = {"x": (0.0, 0.5), "x2": (0.58, 0.77), "x3": (0.83, 1.0)}
NARROW: Final[Panels] = {"x": (0.0, 1.0)}


def axis(name: str, domain: tuple[float, float], parts: Sequence[Part], *, narrow: bool) -> Mark:
    """The axis of one panel, by plotly's name for it."""
    low, high, step, title = _scale(name, parts, narrow=narrow)
    ticks = [round(low + step * index, 6) for index in range(round((high - low) / step) + 1)]
    return {
        "domain": list(domain),
        "anchor": "y",
        "range": [low, high],
        "tickvals": ticks,
        "ticktext": [_tick(tick, signed=name == "x3") for tick in ticks],
        "title": {"text": title, "font": {"size": 12, "color": token("ink-2")}, "standoff": 8},
    }


def _tick(value: float, *, signed: bool) -> str:
    return shown_change(value) if signed and value else shown(value, 1)


def _scale(name: str, parts: Sequence[Part], *, narrow: bool) -> tuple[float, float, float, str]:
    if name == "x":
        low = _lowest([_ends(part["agreement"], "rho", "previous_rho", "threshold") for part in parts])
        step = STEP if low >= 0 else 2 * STEP
        low = 1 - step * math.ceil((1 - low) / step - 1e-9)
        return low, 1.0, step, "Agreement, Spearman ρ" if narrow else "Agreement with the experts (Spearman ρ)"
    if name == "x2":
        low = _lowest([_ends(part["quality"], "mean", "floor") for part in parts], highest=3 * STEP)
        step = 0.5 if low < 0.4 else STEP  # from 0: no answer scores less
        return 1 - step * math.ceil((1 - low) / step - 1e-9), 1.0, step, "Quality (mean, 0 to 1)"
    reach = max((abs(end) for part in parts for end in _ends(part["change"], "mean_difference")), default=0.0)
    step = max(0.1, math.ceil(reach * 10 - 1e-9) / 10)
    return -step, step, step, "Change of quality"


def _ends(answer: Part, *names: str) -> list[float]:
    """All numbers of a question that have to be seen."""
    values = [answer[name] for name in names] + list(answer["ci90"] or ())
    return [value for value in values if value is not None]


def _lowest(values: Iterable[Sequence[float]], *, highest: float = STEP) -> float:
    """The low end of an axis: `highest`, or less where something lies lower."""
    lowest = min((value for row in values for value in row), default=highest)
    return min(highest, math.floor(lowest / STEP + 1e-9) * STEP)
