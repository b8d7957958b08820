"""How a span's call ended, in the words of traces: from `error.type`, the HTTP status, the span's own status. Pure.

`error.type` is free text: a status code, an exception's class, a word of a library. It is matched by what it contains.
An error that says nothing of itself (`_OTHER`) counts against the release, as an upstream 5xx does.
"""

from collections.abc import Iterable
from typing import Final

from relcontrol.model_servers.outcomes import (
    CLIENT_GONE,
    CONNECTION_FAILED,
    STREAM_BROKEN,
    TIMEOUT,
    UPSTREAM_4XX,
    UPSTREAM_5XX,
    UPSTREAM_DENIED,
    outcome_of,
)
from releases.otlp.attributes import number
from releases.otlp.span import Attributes, Event

WORDS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (TIMEOUT, ("timeout", "timedout", "deadline")),
    (CLIENT_GONE, ("cancel", "abort", "clientdisconnect", "generatorexit")),
    (STREAM_BROKEN, ("incompleteread", "chunkedencoding", "remoteprotocol", "stream", "payloaderror")),
    (
        CONNECTION_FAILED,
        ("connect", "econn", "unknownhost", "gaierror", "dns", "socket", "certificate", "ssl", "brokenpipe"),
    ),
    (
        UPSTREAM_4XX,
        (
            "ratelimit",
            "toomanyrequests",
            "badrequest",
            "invalidrequest",
            "unprocessable",
            "conflicterror",
            "contextlength",
            "contentfilter",
        ),
    ),
    (UPSTREAM_DENIED, ("authentication", "unauthorized", "permission", "forbidden", "notfound")),
)
IGNORED: Final = str.maketrans("", "", "_-. ")


def status_of(told: Attributes) -> int | None:
    """The HTTP status, where the span tells one."""
    for value in (told.get("status"), told.get("error")):
        found = number(value)
        if isinstance(found, int) and 100 <= found <= 599:
            return found
    return None


def error_of(told: Attributes, events: Iterable[Event], status: int | None, *, failed: bool) -> str | None:
    """The word for how the call failed, None where it did not."""
    if status is not None and status >= 400:
        return outcome_of(status)
    kind = told.get("error")
    if kind is None and not failed:
        return None
    return _word(str(kind if kind is not None else _exception(events)))


def _exception(events: Iterable[Event]) -> str:
    return next((str(event.attributes.get("exception.type")) for event in events if event.name == "exception"), "")


def _word(kind: str) -> str:
    plain = kind.lower().translate(IGNORED)
    return next((word for word, parts in WORDS if any(part in plain for part in parts)), UPSTREAM_5XX)
