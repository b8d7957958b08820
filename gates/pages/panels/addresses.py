"""Crumbs of the pages of panels, and the two lists beside each other."""

from gates.pages.runs.paths import address
from gates.panel_models import Panel
from relcontrol.web.pages import PageRequest

Crumbs = list[tuple[str, str | None]]
Links = list[tuple[str, str, bool]]


def crumbs_of(request: PageRequest, last: str, panel: Panel | None = None) -> Crumbs:
    """The way to a page below the list, or below one panel."""
    way: Crumbs = [("Panels", address(request, "panels"))]
    if panel is not None:
        way.append((panel.name, address(request, "panel", panel=panel.pk)))
    return [*way, (last, None)]


def lists(request: PageRequest, current: str) -> Links:
    """Panels and judges as tabs: word, address, and whether it is the one that is shown."""
    names = (("Panels", "panels"), ("Judges", "judges"))
    return [(word, address(request, name), name == current) for word, name in names]
