"""From the address to the row and back: releases by any of their names, pages of a list by cursor."""

import re
from typing import TypeVar

from django.db.models import Model, QuerySet
from django.urls import reverse
from django.utils.http import urlencode

from audit.models import Receipt
from relcontrol.accounts.models import Organization
from relcontrol.accounts.selectors import application_named
from relcontrol.api.pages import cursor_of, key_of
from relcontrol.errors import Malformed, NotFound
from relcontrol.web.pages import PageRequest
from releases.models import Release
from releases.selectors import release_named, releases_of

NUMBER = re.compile(r"r([0-9]{1,9})\Z")
ROWS_PER_PAGE = 50
NUL = "\0"  # PostgreSQL keeps no text with it, so nothing can have such a name

Row = TypeVar("Row", bound=Model)


def address(request: PageRequest, name: str, /, **parts: str) -> str:
    """Where a page of this organization is."""
    return reverse(name, kwargs={"organization": request.actor.organization.slug, **parts})


def with_query(path: str, **query: str) -> str:
    """An address with its filters; empty ones are left out."""
    given = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(given)}" if given else path


def receipt_address(organization: Organization, receipt: Receipt) -> str:
    """Where a receipt is shown."""
    return reverse("receipt", kwargs={"organization": organization.slug, "receipt": receipt.receipt_hash})


def release_of(organization: Organization, text: str, application: str = "") -> Release:
    """The release with this id, SHA-256, prefix, or number (`r12`) in `application`, else in the only one."""
    if NUL in text or NUL in application:
        raise NotFound("There is no such release here.")
    match = NUMBER.match(text)
    if match is None:
        return release_named(organization, text)
    owner = application_named(organization, application)
    row = releases_of(organization).filter(application=owner, number=int(match[1])).first()
    if row is None:
        raise NotFound(f"{owner.slug} has no release {text}.")
    return row


def one_page(request: PageRequest, rows: QuerySet[Row], *, key: str = "pk") -> tuple[list[Row], str | None]:
    """The rows of the page that `?cursor=` asks for, highest `key` first, and the cursor of the next."""
    if cursor := request.GET.get("cursor", ""):
        rows = rows.filter(**{f"{key}__lt": _known_key(cursor, whole=key != "pk")})
    shown = list(rows.order_by(f"-{key}")[: ROWS_PER_PAGE + 1])
    page = shown[:ROWS_PER_PAGE]
    return page, cursor_of(getattr(page[-1], key)) if len(shown) > ROWS_PER_PAGE else None


def _known_key(cursor: str, *, whole: bool) -> str:
    value = key_of(cursor)
    if NUL in value or (whole and not NUMBER.match(f"r{value}")):
        raise Malformed("This address has a cursor that is not one of ours. Begin the list again.")
    return value
