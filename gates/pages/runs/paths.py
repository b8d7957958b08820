"""Addresses of pages beside a gate run, and lists that are paged by number."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils.http import urlencode

from relcontrol.web.pages import PageRequest

Item = TypeVar("Item")
Row = TypeVar("Row", bound=Model)
LONGEST_NUMBER = 6


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some rows of a longer list; `before` and `after` are the addresses beside it, empty at the ends."""

    rows: Sequence[Item]
    first: int
    total: int
    before: str
    after: str

    @property
    def last(self) -> int:
        """The number of the last row here."""
        return self.first + len(self.rows) - 1


def address(request: PageRequest, name: str, /, **parts: str) -> str:
    """Where a page of this organization is."""
    return reverse(name, kwargs={"organization": request.actor.organization.slug, **parts})


def address_if_there(request: PageRequest, name: str, /, **parts: str) -> str:
    """The same; empty where this installation has no such page."""
    try:
        return address(request, name, **parts)
    except NoReverseMatch:
        return ""


def numbered(request: PageRequest, rows: Sequence[Item], *, name: str, size: int, anchor: str = "") -> Page[Item]:
    """The page of a list that `?name=2` asks for; a number that is none of its pages asks for the first."""
    return _page(request, rows, len(rows), name, size, anchor)


def numbered_rows(request: PageRequest, rows: "QuerySet[Row]", *, name: str, size: int, anchor: str = "") -> Page[Row]:
    """The same of rows of the database."""
    return _page(request, rows, rows.count(), name, size, anchor)


def _page(
    request: PageRequest, rows: "Sequence[Item] | QuerySet[Row]", total: int, name: str, size: int, anchor: str
) -> Page[Item]:
    asked = request.GET.get(name, "")
    pages = max(1, -(-total // size))
    known = asked.isascii() and asked.isdecimal() and len(asked) <= LONGEST_NUMBER and 1 <= int(asked) <= pages
    number = int(asked) if known else 1
    start = (number - 1) * size
    before = _with(request, name, number - 1, anchor) if number > 1 else ""
    after = _with(request, name, number + 1, anchor) if number < pages else ""
    shown: Any = rows[start : start + size]
    return Page(list(shown), start + 1, total, before, after)


def with_query(request: PageRequest, anchor: str = "", **changes: str) -> str:
    """This address with other parameters; an empty one is left out."""
    given = {**request.GET.dict(), **changes}
    kept = {name: value for name, value in given.items() if value}
    return f"?{urlencode(kept)}{'#' if anchor else ''}{anchor}"


def _with(request: PageRequest, name: str, number: int, anchor: str) -> str:
    return with_query(request, anchor, **{name: str(number)})
