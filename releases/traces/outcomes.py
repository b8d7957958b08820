"""How a request ended, in the words that traces carry (domain.md "Roll"). Standard library only: gateways use it.

An *error* of a release is an upstream 5xx, a failed connection, a time-out or a stream that breaks off. What a client
did wrong, or gave up, and what the gateway itself refused, is none.
"""

from typing import Final

UPSTREAM_5XX: Final = "upstream_5xx"
CONNECTION_FAILED: Final = "connection_failed"
TIMEOUT: Final = "timeout"
STREAM_BROKEN: Final = "stream_broken"
RELEASE_ERRORS: Final = frozenset({UPSTREAM_5XX, CONNECTION_FAILED, TIMEOUT, STREAM_BROKEN})

UPSTREAM_4XX: Final = "upstream_4xx"
CLIENT_GONE: Final = "client_gone"
REFUSED: Final = "refused"
OTHER_ENDS: Final = frozenset({UPSTREAM_4XX, CLIENT_GONE, REFUSED})
