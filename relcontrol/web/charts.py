"""Charts: figures are built in Python and drawn by app.js under the strict policy (ui.md).

A figure names colours as tokens of app.css (`"var(--ink)"`, a form that plotly accepts as a colour), which are
resolved when it is drawn: one figure serves both themes. `narrow` is the whole figure again for a phone, where labels
have no room beside the rows.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

CLEAR = "rgba(0,0,0,0)"
TOKENS = frozenset(
    {"ink", "ink-2", "ink-3", "line", "line-2", "raised", "surface", "pass", "fail", "fail-bg", "hold", "info"}
    | {"neutral", "neutral-bg", "override"}
)


class Figure(Protocol):
    """What plotly's figures can do for us."""

    def to_json(self) -> str | None:
        """The figure as JSON text."""


@dataclass(frozen=True, slots=True)
class Key:
    """One line of the key below the caption: a mark of the sprite (`k-…`) and what it means."""

    mark: str
    words: str
    failing: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure with its finding in a sentence and the same rows as a table.

    `rows` are cells in the order of `columns`; the first cell heads its row. `size` is the height of the plot:
    "" for a full one, "strip" for a low one.
    """

    id: str
    figure: Figure | Mapping[str, Any]
    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    narrow: Figure | Mapping[str, Any] | None = None
    key: Sequence[Key] = ()
    size: str = ""

    @property
    def payload(self) -> dict[str, Any]:
        """What `json_script` carries to app.js."""
        wide = chart_payload(self.figure)
        return wide if self.narrow is None else wide | {"narrow": chart_payload(self.narrow)}


def token(name: str) -> str:
    """A colour of app.css, resolved when the figure is drawn."""
    if name not in TOKENS:
        raise ValueError(f"{name!r} is no colour token; there are: {', '.join(sorted(TOKENS))}")
    return f"var(--{name})"


def chart_payload(figure: Figure | Mapping[str, Any]) -> dict[str, Any]:
    """The plain data of a figure: no template, transparent, nothing but `data` and `layout`."""
    text = json.dumps(figure) if isinstance(figure, Mapping) else figure.to_json()
    plain = json.loads(text or "{}")
    layout = plain.get("layout", {}) | {"template": None, "paper_bgcolor": CLEAR, "plot_bgcolor": CLEAR}
    return {"data": plain.get("data", []), "layout": layout}
