"""Errors of the edge as problem+json, in the same shape as the API's (RFC 9457; relcontrol/api/problems.py)."""

import logging
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import psycopg
from django.db import InterfaceError, OperationalError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from relcontrol.api.problems import problem, problem_of
from relcontrol.errors import DomainError, TooManyRequests, Unauthenticated

CODES: Final = {404: "not_found", 405: "method_not_allowed"}
RETRY_AFTER: Final = 1

logger = logging.getLogger(__name__)


class UnavailableError(DomainError):
    """What the call needs is away for the moment."""

    status: ClassVar[int] = 503
    default_code: ClassVar[str] = "unavailable"


class UnsupportedMediaError(DomainError):
    """A content type or encoding that this call does not read."""

    status: ClassVar[int] = 415
    default_code: ClassVar[str] = "unsupported_media_type"


async def domain_error(_: Request, raised: Exception) -> Response:
    """What a caller can mend."""
    if not isinstance(raised, DomainError):
        raise raised
    document = problem_of(raised)
    if isinstance(raised, UnavailableError):
        document["title"] = "Not available"
    return answer(document, _headers(raised))


async def database_error(request: Request, raised: Exception) -> Response:
    """A database that is away or too slow; other errors of it are our fault."""
    logger.warning("the database did not do it: %s", str(raised).partition("\n")[0])
    detail = "The database does not answer; nothing was changed. Send it again in a moment."
    return await domain_error(request, UnavailableError(detail))


async def http_error(_: Request, raised: Exception) -> Response:
    """An unknown path or method."""
    if not isinstance(raised, HTTPException):
        raise raised
    detail = "There is nothing here. Check the path." if raised.status_code == 404 else str(raised.detail)
    code = CODES.get(raised.status_code, "malformed")
    return answer(problem(raised.status_code, code, detail), raised.headers or {})


async def gone(_: Request, __: Exception) -> Response:
    """The caller went away within its body; nobody reads this."""
    return Response(status_code=400)


async def unexpected(_: Request, __: Exception) -> Response:
    """Our fault; Starlette raises it again for the log."""
    detail = "Something failed on our side; nothing was changed. Tell us request_id."
    return answer(problem(500, "internal", detail), {})


def answer(document: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
    """A problem as the answer."""
    return JSONResponse(document, document["status"], headers=dict(headers), media_type="application/problem+json")


def _headers(error: DomainError) -> dict[str, str]:
    if isinstance(error, TooManyRequests):
        return {"Retry-After": str(error.retry_after)}
    if isinstance(error, UnavailableError):
        return {"Retry-After": str(RETRY_AFTER)}
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": 'Bearer realm="relcontrol"'}
    return {}


HANDLERS: Final[Mapping[Any, Any]] = {
    DomainError: domain_error,
    OperationalError: database_error,
    InterfaceError: database_error,
    psycopg.OperationalError: database_error,  # COPY raises the driver's own
    psycopg.InterfaceError: database_error,
    HTTPException: http_error,
    ClientDisconnect: gone,
    Exception: unexpected,
}
