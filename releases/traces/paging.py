"""Traces page by page, newest first, with cursors that stay right while rows come in; and the release of a filter.

The place in the list is (start, trace id), which no row that comes in later moves.
"""

import re
from datetime import datetime
from typing import Final

from django.db.models import Q, QuerySet

from relcontrol.accounts.models import Organization
from relcontrol.api.pages import cursor_of, key_of
from relcontrol.errors import Malformed
from releases.selectors import HEX, SHA256, release_named
from releases.trace_models import Trace

_PLACE: Final = re.compile(r"(?P<at>[0-9T:.+-]{19,32}) (?P<trace_id>[0-9a-f]{32})")


def trace_page(rows: QuerySet[Trace], cursor: str, limit: int) -> tuple[list[Trace], str | None]:
    """A page of `traces_of` and the cursor of the next, if any; an empty `cursor` begins. Raises `Malformed`."""
    if cursor:
        at, trace_id = _place(cursor)
        # The condition by itself is what the index of times takes.
        rows = rows.filter(Q(started_at__lt=at) | Q(trace_id__lt=trace_id), started_at__lte=at)
    found = list(rows[: limit + 1])
    page = found[:limit]
    return page, cursor_of(f"{page[-1].started_at.isoformat()} {page[-1].trace_id}") if len(found) > limit else None


def release_sha(organization: Organization, text: str) -> str:
    """The manifest SHA-256 that traces carry, of a release by any of its names. Raises `NotFound`.

    A whole one is not looked up: a trace may name a release that was never registered here.
    """
    digits = text.lower()
    if len(digits) == SHA256 and HEX.issuperset(digits):
        return digits
    return release_named(organization, text).manifest_sha256


def _place(cursor: str) -> tuple[datetime, str]:
    match = _PLACE.fullmatch(key_of(cursor))
    try:
        at = datetime.fromisoformat(match["at"]) if match else None
    except ValueError:
        at = None
    if match is None or at is None or at.tzinfo is None:
        raise Malformed("This cursor is not one of a list of traces. Take the `next` of the previous page.")
    return at, match["trace_id"]
