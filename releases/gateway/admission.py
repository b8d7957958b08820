"""How many requests of one application a worker serves at once; what is more is told to come back (429)."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from releases.gateway.errors import GatewayError

RETRY_SECONDS: Final = 1


class Admission:
    """Counted on the event loop of one worker; the bound holds for each worker by itself."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._serving: Counter[str] = Counter()

    @contextmanager
    def admitted(self, application_id: str) -> Iterator[None]:
        """A place for the length of the block; 429 where all are taken."""
        if self._serving[application_id] >= self._limit:
            message = f"This application has {self._limit} requests in flight here, as many as it may. Try again."
            headers = {"retry-after": str(RETRY_SECONDS)}
            raise GatewayError(429, message, code="too_many_requests", kind="rate_limit_error", headers=headers)
        self._serving[application_id] += 1
        try:
            yield
        finally:
            self._serving[application_id] -= 1
            if not self._serving[application_id]:
                del self._serving[application_id]
