"""What the audit pages share: a page of a list by cursor, and addresses within the organization."""

from typing import TypeVar

from django.db.models import Model, QuerySet
from django.urls import reverse

from relcontrol.api.pages import cursor_of, key_of
from relcontrol.errors import Malformed
from relcontrol.web.pages import PageRequest

PER_PAGE = 50
MOST_DIGITS = 15

Row = TypeVar("Row", bound=Model)


def page_of(request: PageRequest, rows: QuerySet[Row], *, key: str) -> tuple[list[Row], str | None]:
    """Rows from the cursor of the address on, highest `key` first, and the next cursor where there are more."""
    if cursor := request.GET.get("cursor", ""):
        after = key_of(cursor)
        if key == "seq" and not (after.isascii() and after.isdecimal() and len(after) <= MOST_DIGITS):
            raise Malformed("This cursor is not one of ours. Start again from the newest.")
        rows = rows.filter(**{f"{key}__lt": after})
    found = list(rows.order_by(f"-{key}")[: PER_PAGE + 1])
    following = cursor_of(getattr(found[PER_PAGE - 1], key)) if len(found) > PER_PAGE else None
    return found[:PER_PAGE], following


def address(request: PageRequest, name: str, **parts: str) -> str:
    """Where a page of this organization is."""
    return reverse(name, kwargs={"organization": request.actor.organization.slug, **parts})
