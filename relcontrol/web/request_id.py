"""The request id: one name for a request in the answer's header, every log line, error pages and receipts (api.md).

It lives in a context variable, so that code far from the request can name it without passing it along.
"""

import logging
import re
import secrets
from contextvars import ContextVar, Token

HEADER = "X-Request-Id"
ABSENT = "-"
SANE = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)

_current: ContextVar[str] = ContextVar("request_id", default=ABSENT)


def current_request_id() -> str:
    """The id of the request that is being answered, `-` outside of one."""
    return _current.get()


def accepted_or_new(given: str | None) -> str:
    """The caller's id if it is safe to log and to echo, else a new one."""
    if given is not None and SANE.fullmatch(given):
        return given
    return secrets.token_hex(12)


def begin(request_id: str) -> Token[str]:
    """Make this the current id; give the token to `end`."""
    return _current.set(request_id)


def end(token: Token[str]) -> None:
    """Back to what it was before `begin`."""
    _current.reset(token)


class RequestIdFilter(logging.Filter):
    """Gives every log record a `request_id`."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep every record."""
        record.request_id = current_request_id()
        return True
