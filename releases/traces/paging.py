"""Traces page by page, newest first, and the release of a filter."""

import re
from typing import Final

from django.db.models import QuerySet

from relcontrol.accounts.models import Organization
from releases.paging import Listing, page_by_start
from releases.selectors import HEX, SHA256, release_named
from releases.trace_models import Trace

_TRACES: Final = Listing("traces", "trace_id", re.compile(r"[0-9a-f]{32}"), str)


def trace_page(rows: QuerySet[Trace], cursor: str, limit: int) -> tuple[list[Trace], str | None]:
    """A page of `traces_of` and the cursor of the next, if any; an empty `cursor` begins. Raises `Malformed`."""
    return page_by_start(_TRACES, rows, cursor, limit)


def release_sha(organization: Organization, text: str) -> str:
    """The manifest SHA-256 that traces carry, of a release by any of its names. Raises `NotFound`.

    A whole one is not looked up: a trace may name a release that was never registered here.
    """
    digits = text.lower()
    if len(digits) == SHA256 and HEX.issuperset(digits):
        return digits
    return release_named(organization, text).manifest_sha256
