"""How a request ended, in the words that traces carry (domain.md "Roll"). Standard library only: gateways use it.

An *error* of a release is an upstream 5xx, a failed connection, a time-out or a stream that breaks off; and a model
server that knows no such model or takes no such credential, as only the release and its endpoint say those (ADR 20).
What a client did wrong, or gave up, and what the gateway itself refused, is none.
"""

from typing import Final

UPSTREAM_5XX: Final = "upstream_5xx"
CONNECTION_FAILED: Final = "connection_failed"
TIMEOUT: Final = "timeout"
STREAM_BROKEN: Final = "stream_broken"
UPSTREAM_DENIED: Final = "upstream_denied"
RELEASE_ERRORS: Final = frozenset({UPSTREAM_5XX, CONNECTION_FAILED, TIMEOUT, STREAM_BROKEN, UPSTREAM_DENIED})

UPSTREAM_4XX: Final = "upstream_4xx"
CLIENT_GONE: Final = "client_gone"
REFUSED: Final = "refused"
OTHER_ENDS: Final = frozenset({UPSTREAM_4XX, CLIENT_GONE, REFUSED})

_DENIED: Final = frozenset({401, 403, 404})


def outcome_of(status: int) -> str:
    """The word for a model server's answer with a status that is no success."""
    if status >= 500:
        return UPSTREAM_5XX
    return UPSTREAM_DENIED if status in _DENIED else UPSTREAM_4XX
