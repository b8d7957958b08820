"""Reading a request's body: never more of it in memory than is allowed, and one meaning for every JSON text."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from starlette.types import Receive

from relcontrol.bundle.errors import BundleError
from relcontrol.bundle.strict_json import strict_loads
from releases.gateway.errors import ClientGoneError, GatewayError
from releases.gateway.headers import Headers

MAX_DEPTH: Final = 64
DISCARD_FACTOR: Final = 4  # times the limit
DISCARD_SECONDS: Final = 10.0


async def read_body(receive: Receive, headers: Headers, limit: int) -> bytes:
    """The whole body. 413 where it is, or says that it is, longer than `limit` bytes; the rest is then thrown away."""
    encoding = headers.value(b"content-encoding") or b"identity"
    if encoding.strip().lower() != b"identity":
        raise GatewayError(415, "Send the body without a content-encoding.", code="unsupported_encoding")
    if headers.length() > limit:
        raise await _too_large(receive, headers, limit)
    pieces: list[bytes] = []
    size, more = 0, True
    while more:
        piece, more = await _piece(receive)
        size += len(piece)
        if size > limit:
            pieces.clear()
            raise await _too_large(receive, headers, limit)
        pieces.append(piece)
    return b"".join(pieces)


async def _piece(receive: Receive) -> tuple[bytes, bool]:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGoneError
    return message.get("body", b""), message.get("more_body", False)


async def _too_large(receive: Receive, headers: Headers, limit: int) -> GatewayError:
    """The refusal, once the client had a chance to finish: one that is cut off while it sends reads no answer."""
    message = f"The body of your request is larger than the {limit:,} bytes that this gateway takes; send less."
    if headers.value(b"expect") is None:
        with suppress(TimeoutError):
            async with asyncio.timeout(DISCARD_SECONDS):
                discarded, more = 0, True
                while more and discarded < DISCARD_FACTOR * limit:
                    piece, more = await _piece(receive)
                    discarded += len(piece)
    return GatewayError(413, message, code="request_too_large", headers={"connection": "close"})


def parsed(body: bytes) -> dict[str, Any]:
    """The JSON object of a body, strictly read: no NaN, no key twice, no depth that could hurt those behind us."""
    try:
        value = strict_loads(body, max_bytes=len(body), max_depth=MAX_DEPTH)
    except BundleError as error:
        first = error.problems[0]
        raise GatewayError(
            400, f"The body of your request could not be read: {first.message}", code=first.code
        ) from None
    if not isinstance(value, dict):
        raise GatewayError(400, "The body of your request must be a JSON object.", code="wrong_type")
    return value


def flag(body: Mapping[str, Any], name: str) -> bool:
    """A member that is true or false; left out and null are false."""
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise GatewayError(400, f"Invalid type for '{name}': expected a boolean.", code="invalid_type", param=name)
    return bool(value)
