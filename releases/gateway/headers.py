"""The headers of a request that the gateway reads, each of them once; none of them is ever forwarded."""

import re
from collections.abc import Iterable
from typing import Final

from releases.gateway.errors import GatewayError, invalid_key
from releases.gateway.identifiers import hex_id

ROUTE: Final = b"x-relcontrol-route"
SUBJECT: Final = b"x-relcontrol-subject"
REQUEST_ID: Final = b"x-request-id"
AUTHORIZATION: Final = b"authorization"
LARGEST_KEY: Final = 200

_SANE_ID = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")
_BEARER = re.compile(rb"[Bb]earer +([!-~]+) *")


class Headers:
    """One-valued look-up: a header that is sent twice has no value, and asking for it is refused."""

    __slots__ = ("_twice", "_values")

    def __init__(self, raw: Iterable[tuple[bytes, bytes]]) -> None:
        self._values: dict[bytes, bytes] = {}
        self._twice: set[bytes] = set()
        for name, value in raw:
            if name in self._values:
                self._twice.add(name)
            self._values[name] = value

    def value(self, name: bytes) -> bytes | None:
        """The header's bytes, None where it was not sent."""
        if name in self._twice:
            shown = name.decode("ascii", "replace")
            raise GatewayError(400, f"The header {shown} was sent twice; send it once.", code="duplicate_header")
        return self._values.get(name)

    def text(self, name: bytes) -> str | None:
        """The header as text: UTF-8, else Latin-1 as HTTP once had it."""
        value = self.value(name)
        if value is None:
            return None
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return value.decode("latin-1")

    def bearer(self) -> str:
        """The application key; 401 where there is none, or more than one."""
        if AUTHORIZATION in self._twice:
            raise invalid_key()
        match = _BEARER.fullmatch(self._values.get(AUTHORIZATION, b""))
        if match is None or len(match[1]) > LARGEST_KEY:
            raise invalid_key()
        return match[1].decode("ascii")

    def request_id(self) -> str:
        """The client's own id where it is harmless in a log and a header, else a new one."""
        given = b"" if REQUEST_ID in self._twice else self._values.get(REQUEST_ID, b"")
        return given.decode("ascii") if _SANE_ID.fullmatch(given) else f"req_{hex_id()}"

    def length(self) -> int:
        """The announced length of the body, 0 where none is."""
        value = self._values.get(b"content-length", b"0")
        return int(value) if value.isdigit() and len(value) < 20 else 0
