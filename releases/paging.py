"""Lists page by page by when their rows began, newest first, with cursors that stay right while rows come in.

The place in such a list is (start, key), which no row that comes in later moves.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from django.db.models import Model, Q, QuerySet

from relcontrol.api.pages import cursor_of, key_of
from relcontrol.errors import Malformed

Row = TypeVar("Row", bound=Model)
_PLACE: Final = re.compile(r"(?P<at>[0-9T:.+-]{19,32}) (?P<key>\S+)")


@dataclass(frozen=True, slots=True)
class Listing:
    """A kind of rows with a `started_at`: the column that tells those of one moment apart, and how a key is read."""

    noun: str
    key: str
    pattern: re.Pattern[str]
    read: Callable[[str], str | int]


def page_by_start(listing: Listing, rows: QuerySet[Row], cursor: str, limit: int) -> tuple[list[Row], str | None]:
    """A page of `rows`, which are in that order, and the cursor of the next, if any; an empty `cursor` begins.

    Raises `Malformed` for a cursor of another list.
    """
    if cursor:
        at, key = _place(listing, cursor)
        # The condition by itself is what the index of times takes.
        rows = rows.filter(Q(started_at__lt=at) | Q(**{f"{listing.key}__lt": key}), started_at__lte=at)
    found = list(rows[: limit + 1])
    shown = found[:limit]
    return shown, _cursor(listing, shown[-1]) if len(found) > limit else None


def _cursor(listing: Listing, row: Model) -> str:
    return cursor_of(f"{getattr(row, 'started_at').isoformat()} {getattr(row, listing.key)}")  # noqa: B009 - of any model


def _place(listing: Listing, cursor: str) -> tuple[datetime, str | int]:
    match = _PLACE.fullmatch(key_of(cursor))
    try:
        at = datetime.fromisoformat(match["at"]) if match else None
    except ValueError:
        at = None
    if match is None or at is None or at.tzinfo is None or not listing.pattern.fullmatch(match["key"]):
        raise Malformed(f"This cursor is not one of a list of {listing.noun}. Take the `next` of the previous page.")
    return at, listing.read(match["key"])
