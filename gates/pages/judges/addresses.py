"""Crumbs of the pages of judges."""

from gates.models import Judge
from gates.pages.runs.paths import address
from relcontrol.web.pages import PageRequest

Crumbs = list[tuple[str, str | None]]


def crumbs_of(request: PageRequest, last: str, judge: Judge | None = None) -> Crumbs:
    """The way to a page below the list, or below one judge."""
    way: Crumbs = [("Judges", address(request, "judges"))]
    if judge is not None:
        way.append((judge.name, address(request, "judge", judge=judge.pk)))
    return [*way, (last, None)]
