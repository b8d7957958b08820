"""The trace row of a request, as the edge takes it (`POST /v1/traces`).

The edge turns a row away that is too large, and a request must not go uncounted because it was: an input beyond half
a mebibyte is left out, and says so; metadata keeps short plain values; the output has its own bound (`outputs`).
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from releases.gateway.exchanges import Ended
from releases.gateway.identifiers import hex_id
from releases.gateway.orders import Order

LARGEST_INPUT: Final = 512 * 1024  # with output and metadata under the edge's mebibyte
LARGEST_SETTINGS: Final = 128 * 1024
MOST_METADATA: Final = 64
LONGEST_METADATA: Final = 512
LONGEST_KEY: Final = 64
LONGEST_MODEL: Final = 300

_NOT_STORABLE: Final = re.compile("[\0\ud800-\udfff]")


def trace_row(
    order: Order, ended: Ended, *, started_at: datetime, client_settings: Mapping[str, Any], replica: str
) -> dict[str, Any]:
    """The row of a request that had a release, however it ended; a request for embeddings belongs to no arm."""
    chat = order.chat
    return {
        "trace_id": hex_id(),
        "started_at": started_at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "request_id": order.request_id,
        "release": order.release.sha if chat else None,
        "route": order.route.id,
        "rollout": order.rollout if chat else None,
        "arm": str(order.arm) if chat else None,
        "generation": order.snapshot.generation,
        "subject": _NOT_STORABLE.sub("\N{REPLACEMENT CHARACTER}", order.subject),
        "input": _input(order),
        "output": ended.output.as_json(),
        "status": ended.status,
        "error": ended.error,
        "ttft_ms": _rounded(ended.ttft_ms),
        "latency_ms": _rounded(ended.latency_ms),
        "input_tokens": ended.output.input_tokens,
        "output_tokens": ended.output.output_tokens,
        "metadata": metadata_of(order.body),
        "fingerprint": order.release.bundle_sha256 if chat else None,
        "model": _model(order.release.model if chat else order.body.get("model")),
        "replica": replica,
        "client_settings": _settings(order, client_settings),
    }


def metadata_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values of the client's metadata, as many and as long as match rules can want."""
    given = body.get("metadata")
    if not isinstance(given, Mapping):
        return {}
    kept = {key: value for key, value in given.items() if len(key) <= LONGEST_KEY and _is_plain(value)}
    return dict(list(kept.items())[:MOST_METADATA])


def _input(order: Order) -> dict[str, Any] | str:
    if order.size > LARGEST_INPUT:
        return f"(left out: a request of {order.size:,} bytes)"
    return {key: value for key, value in order.body.items() if key != "metadata"}


def _is_plain(value: object) -> bool:
    return len(value) <= LONGEST_METADATA if isinstance(value, str) else isinstance(value, bool | int | float)


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 3)


def _settings(order: Order, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """The chosen settings; lists and objects of a large request stand in its input and are not told twice."""
    small = order.size <= LARGEST_SETTINGS
    return {name: value for name, value in chosen.items() if small or not isinstance(value, str | list | dict)}


def _model(value: object) -> str | None:
    return _NOT_STORABLE.sub("?", value[:LONGEST_MODEL]) if isinstance(value, str) and value else None
