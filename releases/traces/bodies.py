"""Bodies of traces: JSON, sealed with AES-256-GCM under the key of one subject.

Layout: version byte, 12-byte nonce, ciphertext with its tag. Version, organization and subject are authenticated with
it, so that a body moved to somebody else's row is refused. After an erasure there is no key: a body opens to None, and
sealing gives no bytes at all.
"""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import transaction

from relcontrol.clock import now
from releases.traces.keys import NONCE_BYTES, keys_of, keys_to_seal

Bytes = bytes | memoryview  # as columns may come
VERSION: Final = b"\x01"
_START: Final = len(VERSION) + NONCE_BYTES


class DamagedBodyError(ValueError):
    """A body that is not what was sealed for this subject of this organization."""


class BodyKeys:
    """The keys of some subjects of one organization, ready to seal and open with."""

    def __init__(self, organization_id: str, keys: Mapping[bytes, bytes | None]) -> None:
        self._bound = VERSION + organization_id.encode()
        self._ciphers = {subject: None if key is None else AESGCM(key) for subject, key in keys.items()}

    def seal(self, subject: bytes, plain: bytes) -> bytes:
        """The sealed bytes; none where the subject was erased."""
        cipher = self._ciphers.get(subject)
        if cipher is None:
            return b""
        nonce = os.urandom(NONCE_BYTES)
        return VERSION + nonce + cipher.encrypt(nonce, plain, self._bound + subject)

    def open(self, subject: bytes, body: bytes) -> bytes | None:
        """What was sealed; None where the subject was erased. Raises `DamagedBodyError`."""
        cipher = self._ciphers.get(subject)
        if cipher is None or not body:
            return None
        if body[: len(VERSION)] != VERSION:
            raise DamagedBodyError(f"The body is of version {body[0]}; this program reads version {VERSION[0]}.")
        try:
            return cipher.decrypt(body[len(VERSION) : _START], body[_START:], self._bound + subject)
        except InvalidTag as error:
            raise DamagedBodyError("The body is damaged, or belongs to another subject or organization.") from error


def seal_body(organization_id: str, subject: bytes, value: Any) -> bytes:
    """A JSON value, sealed for a subject (a digest, not what the client called it)."""
    return seal_bodies(organization_id, [(subject, value)])[0]


def seal_bodies(organization_id: str, values: Sequence[tuple[bytes, Any]]) -> list[bytes]:
    """The same for many, in their order, with one look at the keys; no bytes for a subject that was erased."""
    with transaction.atomic():
        keys = BodyKeys(organization_id, keys_to_seal(organization_id, (subject for subject, _ in values), now()))
    plain = ((subject, json.dumps(value, separators=(",", ":"), allow_nan=False)) for subject, value in values)
    return [keys.seal(subject, text.encode()) for subject, text in plain]


def open_body(organization_id: str, subject: Bytes, body: Bytes | None) -> Any:
    """The JSON value; None after erasure, and where there is no body. Raises `DamagedBodyError`."""
    return open_bodies(organization_id, [(subject, body)])[0]


def open_bodies(organization_id: str, sealed: Iterable[tuple[Bytes, Bytes | None]]) -> list[Any]:
    """The same for many, in their order, with one query."""
    pairs: Sequence[tuple[bytes, bytes]] = [(bytes(subject), bytes(body or b"")) for subject, body in sealed]
    keys = BodyKeys(organization_id, keys_of(organization_id, (subject for subject, _ in pairs)))
    opened = (keys.open(subject, body) for subject, body in pairs)
    return [None if plain is None else json.loads(plain) for plain in opened]
