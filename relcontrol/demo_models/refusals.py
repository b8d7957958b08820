"""Refusals in OpenAI's form: `{"error": {"message", "type", "param", "code"}}`."""

from collections.abc import Mapping
from typing import Any, Final

INVALID: Final = "invalid_request_error"
SHOWN: Final = 200


class RefusedError(Exception):
    """A request that is answered with an error object."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        kind: str = INVALID,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.param, self.code, self.kind = status, message, param, code, kind
        self.headers = headers

    def document(self) -> dict[str, Any]:
        """The body of the answer."""
        return {"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}}


def wrong_type(param: str, expected: str, value: object) -> RefusedError:
    """A member of another JSON type than the one that is read."""
    message = f"Invalid type for '{param}': expected {expected}, but got {_json_type(value)} instead."
    return RefusedError(400, message, param=param, code="invalid_type")


def wrong_value(param: str, expected: str) -> RefusedError:
    """A member of the right type whose value is not allowed."""
    return RefusedError(400, f"Invalid '{param}': expected {expected}.", param=param, code="invalid_value")


def missing(param: str) -> RefusedError:
    """A member that must be there."""
    return RefusedError(400, f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")


def unknown_model(name: str, *, param: str | None = None) -> RefusedError:
    """A model that this server does not have."""
    message = f"The model `{name[:SHOWN]}` does not exist or you do not have access to it."
    return RefusedError(404, message, param=param, code="model_not_found")


def too_many_tokens(most: int, param: str) -> RefusedError:
    """A prompt that is longer than the context."""
    message = f"This model's maximum context length is {most} tokens. Please reduce the length of the {param}."
    return RefusedError(400, message, param=param, code="context_length_exceeded")


def too_long_an_answer() -> RefusedError:
    """What a model says that times out on long answers."""
    return RefusedError(504, "The answer was not finished in time.", code="timeout", kind="server_error")


def too_many_requests(seconds: int) -> RefusedError:
    """What a server says that is asked too much."""
    message = f"Rate limit reached. Please try again in {seconds}s."
    headers = {"retry-after": str(seconds)}
    return RefusedError(429, message, code="rate_limit_exceeded", kind="requests", headers=headers)


def server_error() -> RefusedError:
    """What a server says that is broken."""
    return RefusedError(500, "The server had an error while processing your request.", kind="server_error")


def _json_type(value: object) -> str:
    if value is None:
        return "null"
    names = {bool: "a boolean", int: "an integer", float: "a number", str: "a string", list: "an array"}
    return names.get(type(value), "an object")
