"""Live parts: the page asks `?seq=N`, the answer is 204 when nothing is newer, else the fragment (ui.md).

The fragment is written with `{% live %}`. When it is final it carries no trigger, so that asking ends by itself.
"""

from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse


def known_seq(request: HttpRequest) -> int | None:
    """The sequence number that the page already shows; None when it shows nothing yet."""
    given = request.GET.get("seq")
    if given is None:
        return None
    if not given.isascii() or not given.isdecimal():
        raise BadRequest(f"seq must be a whole number, not {given[:40]!r}")
    return int(given[:18])


def polled(request: HttpRequest, seq: int, render: Callable[[], HttpResponse]) -> HttpResponse:
    """204 if the page already shows `seq` or later, else what `render` makes. `render` runs only when needed."""
    known = known_seq(request)
    response = HttpResponse(status=204) if known is not None and known >= seq else render()
    response.headers["Cache-Control"] = "no-store"
    return response
