"""What a service raises when it cannot do what was asked.

One family for the whole product: the API renders it as problem+json (RFC 9457), a form as form errors, a command as
a sentence on stderr. `detail` says what to do next; `errors` name the fields or rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one field (`routing.domain`) or row (`row 17`)."""

    field: str
    message: str


class DomainError(Exception):
    """Base of everything a caller can mend. `state` is what a conflict shows of the present."""

    status: ClassVar[int] = 400
    default_code: ClassVar[str] = "malformed"

    def __init__(
        self, detail: str, *, code: str = "", errors: Sequence[FieldError] = (), state: dict[str, Any] | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.default_code
        self.errors = tuple(errors)
        self.state = state or {}


class Malformed(DomainError):
    """The request cannot be read at all."""


class Unauthenticated(DomainError):
    """Nobody, or a token that is unknown, expired or revoked."""

    status = 401
    default_code = "unauthenticated"


class Forbidden(DomainError):
    """Known, but without the role or scope; `detail` names which one is needed."""

    status = 403
    default_code = "forbidden"


class NotFound(DomainError):
    """Not there, or another organization's: the two look the same."""

    status = 404
    default_code = "not_found"


class Conflict(DomainError):
    """Right in itself, but not in the present state, which `state` shows."""

    status = 409
    default_code = "conflict"


class TooLarge(DomainError):
    """More bytes than this call takes."""

    status = 413
    default_code = "too_large"


class Invalid(DomainError):
    """Readable, but it breaks a rule; `errors` name every field or row that does."""

    status = 422
    default_code = "invalid"


class TooManyRequests(DomainError):
    """Over the limit; `retry_after` in seconds."""

    status = 429
    default_code = "rate_limited"

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


def invalid(field: str, message: str, *, code: str = "") -> Invalid:
    """The common case of one wrong field."""
    return Invalid(message, code=code, errors=[FieldError(field, message)])
