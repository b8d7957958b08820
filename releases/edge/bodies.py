"""Bodies of requests: read up to a limit, inflated up to a limit, parsed as JSON.

The limit on inflated bytes is kept while inflating, so that a small bomb never becomes large in memory.
"""

import json
import zlib
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from starlette.requests import Request

from relcontrol.api.problems import too_large
from relcontrol.errors import Malformed
from releases.edge.problems import UnsupportedMediaError

MIB: Final = 1024 * 1024
TRACES_LIMIT: Final = 32 * MIB  # of the body as it comes and of what it inflates to
REPORT_LIMIT: Final = 256 * 1024
GZIP: Final = 16 + zlib.MAX_WBITS
STEP: Final = 256 * 1024


async def body_of(request: Request, limit: int) -> bytes:
    """The body as it was sent; `TooLarge` as soon as it is known to be."""
    told = request.headers.get("content-length", "0")
    if told.isdecimal() and int(told) > limit:
        raise too_large(limit)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise too_large(limit)
    return bytes(body)


def inflated(body: bytes, encoding: str, limit: int) -> bytes:
    """What the body says, by its Content-Encoding: gzip or none."""
    match encoding.strip().lower():
        case "" | "identity":
            return body
        case "gzip" | "x-gzip":
            return _gunzipped(body, limit)
        case other:
            raise UnsupportedMediaError(f"The encoding {other[:40]!r} is not read here. Send gzip, or the plain body.")


def json_of(body: bytes) -> Any:
    """The JSON value; `Malformed` says where it is none."""
    try:
        return json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"The body is no JSON: {error}.") from error


def rows_of(document: object, name: str) -> list[Mapping[str, Any]]:
    """The list of objects under the one key of a document."""
    if not isinstance(document, dict) or set(document) != {name} or not isinstance(document[name], list):
        raise Malformed(f'Send a JSON object with one key, a list of objects: {{"{name}": [{{…}}]}}.')
    rows: list[Mapping[str, Any]] = document[name]
    return rows


def _gunzipped(body: bytes, limit: int) -> bytes:
    """All members of a gzip file, one after the other (RFC 1952)."""
    plain, rest = bytearray(), body
    while rest:
        member = zlib.decompressobj(GZIP)
        try:
            while not member.eof and (rest or member.unconsumed_tail):
                plain += member.decompress(rest, STEP)
                rest = member.unconsumed_tail
                if len(plain) > limit:
                    raise too_large(limit)
        except zlib.error as error:
            raise Malformed(f"The body is no gzip, though Content-Encoding says so: {error}.") from error
        if not member.eof:
            raise Malformed("The gzip body ends too early; send it again.")
        rest = member.unused_data
    return bytes(plain)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
