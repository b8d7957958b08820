"""Error pages: what failed, what is still safe, and the request id (ui.md).

They need no database, no session and no signed-in person, since any of these may be what failed. Below /v1 the same is
said as a problem document (RFC 9457), whatever failed before the call itself was reached.
"""

from dataclasses import dataclass

from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from relcontrol.api.problems import plain_problem
from relcontrol.errors import DomainError
from relcontrol.web.request_id import current_request_id


@dataclass(frozen=True, slots=True)
class Words:
    """What an error page says: the failure, what is safe, what to do."""

    title: str
    failed: str
    safe: str = "Nothing was changed or recorded."
    todo: str = "Go back and try again."


PAGES = {
    400: Words(
        "This request cannot be read", "The address or the form holds something relcontrol does not understand."
    ),
    403: Words("You may not do this", "Your roles here do not allow it.", todo="Ask an administrator for the role."),
    404: Words(
        "There is nothing here",
        "The address is wrong, or what it names belongs to an organization that you are not a member of.",
        todo="Check the address, or start again from the overview.",
    ),
    409: Words("This no longer fits the present state", "Somebody or something was faster.", todo="Reload the page."),
    413: Words("That was too large", "The form or file holds more than one request may.", todo="Send less at once."),
    429: Words("Too many requests", "There were too many requests in a short time.", todo="Wait a minute, then retry."),
    500: Words(
        "relcontrol failed",
        "An error that we did not foresee stopped this request; it is in the log.",
        safe="What was decided before stands, releases keep serving, and a decision is recorded whole or not at all.",
        todo="Try again; if it fails again, give the request id below to whoever runs relcontrol.",
    ),
}
UNKNOWN_HOST = Words(
    "relcontrol is not known by this name",
    "relcontrol answers only under the host names that it was given, and the one in this address is none of them.",
    todo="Use the address that you were given. Whoever runs relcontrol adds a name with RELCONTROL_HOSTS.",
)
API_PREFIX = "/v1/"
CSRF = Words(
    "The form is out of date",
    "The proof that this form came from relcontrol is missing or too old: you may have signed in or out in another tab,"
    " or cookies are blocked.",
    todo="Go back, reload the page and send the form again.",
)


def error_page(status: int, *, detail: str = "", words: Words | None = None) -> HttpResponse:
    """The page for a status; `detail` replaces the general sentence about what failed."""
    said = words or PAGES.get(status, PAGES[400])
    context = {"status": status, "words": said, "failed": detail or said.failed, "request_id": current_request_id()}
    return HttpResponse(render_to_string("errors/error.html", context), status=status)


def domain_error_page(error: DomainError) -> HttpResponse:
    """The page for a domain error: its own sentence in place of the general one."""
    return error_page(error.status, detail=error.detail)


def _answer(request: HttpRequest, status: int, code: str, words: Words) -> HttpResponse:
    """The page, or for a caller of the API the same as a problem document."""
    if request.path.startswith(API_PREFIX):
        return plain_problem(request, status, code, f"{words.failed} {words.safe} {words.todo}")
    return error_page(status, words=words)


def handler400(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A request that cannot be read, one that is too large to be, or one for a host that is not ours."""
    if isinstance(exception, DisallowedHost):
        return _answer(request, 400, "unknown_host", UNKNOWN_HOST)
    if isinstance(exception, RequestDataTooBig):
        return _answer(request, 413, "too_large", PAGES[413])
    return _answer(request, 400, "malformed", PAGES[400])


def handler403(_request: HttpRequest, exception: Exception) -> HttpResponse:
    """Known, but not allowed."""
    return error_page(403, detail=str(exception))


def handler404(_request: HttpRequest, exception: Exception) -> HttpResponse:
    """Not there, or another organization's. A domain error says which; Django's own words are for developers."""
    cause = exception.__cause__
    return error_page(404, detail=cause.detail if isinstance(cause, DomainError) else "")


def handler500(request: HttpRequest) -> HttpResponse:
    """An error of our own."""
    return _answer(request, 500, "internal", PAGES[500])


def csrf_failure(_request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without a valid proof of where it came from."""
    return error_page(403, words=CSRF)
