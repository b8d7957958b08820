"""Addresses and crumbs of the pages of slices."""

from django.urls import reverse

from gates.models import Slice
from relcontrol.web.pages import PageRequest

TITLE = "Slices and thresholds"
Crumbs = list[tuple[str, str | None]]


def address(request: PageRequest, name: str, **parts: str) -> str:
    """Where a page of this organization is."""
    return reverse(name, kwargs={"organization": request.actor.organization.slug, **parts})


def crumbs_of(request: PageRequest, last: str, target: Slice | None = None) -> Crumbs:
    """The way to a page below the tree, or below one slice."""
    way: Crumbs = [(TITLE, address(request, "slices"))]
    if target is not None:
        way.append((target.name, address(request, "slice", slug=target.slug)))
    return [*way, (last, None)]
