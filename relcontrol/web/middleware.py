"""What every answer carries: a request id and the strict headers of ui.md; and what a page shows for a domain error."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from relcontrol.errors import DomainError
from relcontrol.web import request_id
from relcontrol.web.errors import API_PREFIX, domain_error_page

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=(), interest-cohort=()"
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": PERMISSIONS_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
}

Answer = Callable[[HttpRequest], HttpResponseBase]


class RequestIdMiddleware:
    """Takes the caller's request id or makes one, and echoes it. Outermost, so that every log line has it."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer under an id."""
        token = request_id.begin(request_id.accepted_or_new(request.headers.get(request_id.HEADER)))
        try:
            response = self.get_response(request)
            response.headers[request_id.HEADER] = request_id.current_request_id()
            return response
        finally:
            request_id.end(token)


class SecurityHeadersMiddleware:
    """Sets the same policy on every answer; no view can loosen it."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, then set the headers."""
        response = self.get_response(request)
        for name, value in SECURITY_HEADERS.items():
            response.headers[name] = value
        return response


class DomainErrorMiddleware:
    """Turns a domain error that a page's view did not catch into the page for its status. The API has its own."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer; Django calls `process_exception` where a view fails."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Called by Django for an exception of a view; None lets it go on."""
        if isinstance(exception, DomainError) and not request.path.startswith(API_PREFIX):
            return domain_error_page(exception)
        return None
