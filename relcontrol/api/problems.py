"""Errors as `application/problem+json` (RFC 9457): a stable code, a sentence that says what to do, fields and rows."""

import logging
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response

from relcontrol.errors import DomainError, NotFound, TooLarge, TooManyRequests, Unauthenticated
from relcontrol.web.request_id import current_request_id

logger = logging.getLogger(__name__)

TITLES = {
    400: "The request cannot be read",
    401: "Not authenticated",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Not in this state",
    413: "Too large",
    415: "Content type not supported",
    422: "A rule is broken",
    429: "Too many requests",
    500: "Our fault",
}


def problem(status: int, code: str, detail: str, **members: Any) -> dict[str, Any]:
    """The members of one problem document."""
    document: dict[str, Any] = {
        "type": f"https://relcontrol.dev/problems/{code}",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "code": code,
        "detail": detail,
        "request_id": current_request_id(),
    }
    return document | {name: value for name, value in members.items() if value}


def problem_of(error: DomainError) -> dict[str, Any]:
    """A domain error as problem members."""
    errors = [{"field": item.field, "message": item.message} for item in error.errors]
    return problem(error.status, error.code, error.detail, errors=errors, state=error.state)


def exception_handler(raised: Exception, context: dict[str, Any]) -> Response:
    """Every exception of an API call becomes a problem; what is not ours is logged and answered as 500."""
    if isinstance(raised, Http404):
        raised = NotFound("There is nothing here. Check the path and the id.")
    if isinstance(raised, DomainError):
        return _response(problem_of(raised), _headers(raised))
    if isinstance(raised, exceptions.APIException):
        return _framework(raised, context)
    if isinstance(raised, PermissionDenied):
        return _response(problem(403, "forbidden", "This is not allowed."))
    logger.error("unexpected error in %s", context.get("view"), exc_info=raised)
    return _response(problem(500, "internal", "Something failed on our side; nothing was changed. Tell us request_id."))


def _headers(error: DomainError) -> dict[str, str]:
    if isinstance(error, TooManyRequests):
        return {"Retry-After": str(error.retry_after)}
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": 'Bearer realm="relcontrol"'}
    return {}


def _framework(raised: exceptions.APIException, context: dict[str, Any]) -> Response:
    """DRF's own: method not allowed, unreadable content types, parse errors."""
    code = "malformed" if raised.status_code == 400 else str(raised.default_code)
    detail = str(raised.detail)
    if isinstance(raised, exceptions.MethodNotAllowed):
        detail = f"{detail} This path takes {', '.join(getattr(context.get('view'), 'permissions', ()))}."
    return _response(problem(raised.status_code, code, detail))


def _response(document: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    return Response(document, status=document["status"], headers=headers or {}, content_type="application/problem+json")


def too_large(limit: int) -> TooLarge:
    """A body over `limit` bytes."""
    return TooLarge(f"The body is larger than {limit:,} bytes, the most that this call takes.")


def plain_problem(request: HttpRequest, status: int, code: str, detail: str) -> JsonResponse:
    """A problem outside of DRF: unknown paths below /v1 and errors of middleware."""
    return JsonResponse(problem(status, code, detail), status=status, content_type="application/problem+json")
