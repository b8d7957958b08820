"""Lists: `{results, next}`, newest first, with a cursor that stays right while rows are added (api.md)."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from relcontrol.errors import Malformed

PAGE = 50
MAX_PAGE = 200
PAGED = [
    OpenApiParameter(
        "limit", {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": PAGE}, description="Rows per page."
    ),
    OpenApiParameter("cursor", str, description="The `next` of the page before."),
]

Row = TypeVar("Row", bound=Model)


def cursor_of(value: object) -> str:
    """An opaque cursor that says: after this key."""
    return base64.urlsafe_b64encode(str(value).encode()).decode().rstrip("=")


def key_of(cursor: str) -> str:
    """The key in a cursor."""
    try:
        key = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except ValueError as error:
        raise _foreign_cursor() from error
    if not key or "\x00" in key:
        raise _foreign_cursor()
    return key


def limit_of(request: Request) -> int:
    """The page size that was asked for."""
    text = request.query_params.get("limit", str(PAGE))
    if not (text.isascii() and text.isdecimal()) or len(text) > len(str(MAX_PAGE)) or not 1 <= int(text) <= MAX_PAGE:
        raise Malformed(f"limit must be a whole number from 1 to {MAX_PAGE}.")
    return int(text)


def listed(request: Request, rows: QuerySet[Row], render: Callable[[Row], Any], *, key: str = "pk") -> dict[str, Any]:
    """One page of `rows`, newest (highest `key`) first."""
    limit = limit_of(request)
    if cursor := request.query_params.get("cursor"):
        value: str | int = key_of(cursor)
        if key == "seq":
            value = _number(value)
        rows = rows.filter(**{f"{key}__lt": value})
    page = list(rows.order_by(f"-{key}")[: limit + 1])
    following = cursor_of(getattr(page[limit - 1], key)) if len(page) > limit else None
    return {"results": [render(row) for row in page[:limit]], "next": following}


def moment_of(request: Request, name: str) -> datetime | None:
    """A time in the query, RFC 3339; None where it is not given."""
    text = request.query_params.get(name, "")
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Malformed(f"{name} must be a time such as 2026-11-20T14:03:00Z.") from error


def _number(text: str | int) -> int:
    digits = str(text)
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > 18:
        raise _foreign_cursor()
    return int(digits)


def _foreign_cursor() -> Malformed:
    return Malformed("This cursor is not one of ours. Take the `next` of the previous page.")
