"""HTTP/1.1 as the gateway takes it: what is refused before it is a request is refused in OpenAI's shape."""

from typing import Final

from releases.gateway.errors import INVALID, SERVER, GatewayError
from releases.workers.bounding import BoundedHttp

SERVER_ERRORS: Final = 500


class GatewayHttp(BoundedHttp):
    """Bounded, and speaks OpenAI's errors."""

    def refusal(self, status: int, code: str, message: str) -> tuple[str, bytes]:
        """An error object."""
        kind = SERVER if status >= SERVER_ERRORS else INVALID
        return "application/json", GatewayError(status, message, code=code, kind=kind).encoded()
