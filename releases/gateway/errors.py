"""What the gateway says instead of an answer: OpenAI's error object (gateway.md "A request", step 1).

`outcome` is the word that the trace of such a request carries (`relcontrol.model_servers.outcomes`).
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from relcontrol.bundle.errors import BundleError
from relcontrol.model_servers import outcomes

INVALID: Final = "invalid_request_error"
SERVER: Final = "server_error"
UPSTREAM: Final = "upstream_error"


class GatewayError(Exception):
    """A request that is answered with an error object; the message never repeats a secret or a prompt."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        kind: str = INVALID,
        outcome: str = outcomes.REFUSED,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.param, self.kind = status, message, code, param, kind
        self.outcome, self.headers = outcome, dict(headers or {})

    def document(self) -> dict[str, Any]:
        """The body of the answer."""
        return {"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}}

    def encoded(self) -> bytes:
        """The body's bytes."""
        return json.dumps(self.document()).encode()


class ClientGoneError(Exception):
    """The client closed the connection before its request was read."""


def invalid_key() -> GatewayError:
    """A missing or unknown application key; both sound the same."""
    message = "Incorrect API key provided. Send an application key of this gateway as 'Authorization: Bearer …'."
    return GatewayError(401, message, code="invalid_api_key", headers={"www-authenticate": "Bearer"})


def not_ready() -> GatewayError:
    """No snapshot has arrived yet."""
    message = "This gateway has not been told its routes yet. Try again in a moment."
    return GatewayError(503, message, code="no_snapshot", kind=SERVER, headers={"retry-after": "1"})


def of_bundle(error: BundleError) -> GatewayError:
    """The first problem of a request that cannot be rendered, with its place; slots are filled from its metadata."""
    first = error.problems[0]
    param = f"metadata.{first.field}" if first.code == "missing_variable" else first.field
    return GatewayError(400, first.message, code=first.code, param=param or None)


def unexpected() -> GatewayError:
    """A defect of the gateway itself; what happened stands in its log."""
    return GatewayError(500, "The gateway had an error while processing your request.", kind=SERVER)
