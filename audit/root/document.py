"""The keyring as a document: who signs here, and which list is the newest. Pure, so that the offline machine reads it.

RFC 8785 bytes of `{schema, sequence, issued_at, origins, keys}`. `sequence` grows with each document, so that an old
one, from before a revocation, can be told from the newest.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from audit import verify
from audit.keys.signing import PURPOSES, PublicKey
from relcontrol.bundle.canonical import canonical_bytes, strict_loads
from relcontrol.bundle.errors import BundleError

SCHEMA: Final = "relcontrol/keyring/v1"
MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
PUBLIC_BYTES: Final = 32


class KeyringError(ValueError):
    """What is no keyring, or none that this root signed; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """What a document says."""

    sequence: int
    issued_at: str
    origins: tuple[str, ...]
    keys: tuple[PublicKey, ...]


def payload_of(keyring: Keyring) -> bytes:
    """The bytes to be signed."""
    content = {
        "schema": SCHEMA,
        "sequence": keyring.sequence,
        "issued_at": keyring.issued_at,
        "origins": sorted(keyring.origins),
        "keys": [key.as_json() for key in sorted(keyring.keys, key=lambda key: key.keyid)],
    }
    return canonical_bytes(content)


def read_payload(payload: bytes) -> Keyring:
    """What the bytes say, where they are the only spelling of it. Raises `KeyringError`."""
    try:
        content = strict_loads(payload)
        keyring = Keyring(
            sequence=_number(content["sequence"]),
            issued_at=_moment(content["issued_at"]),
            origins=tuple(_text(origin) for origin in content["origins"]),
            keys=tuple(_key(entry) for entry in content["keys"]),
        )
        same = payload_of(keyring) == payload and _each_once(keyring.origins) and _each_once(keyring.keys)
    except (BundleError, KeyError, TypeError, ValueError) as error:
        raise KeyringError(f"expected a keyring ({SCHEMA}), got what cannot be read as one: {error}") from error
    if not same:
        raise KeyringError(f"expected the RFC 8785 bytes of a keyring ({SCHEMA}), got another spelling or other fields")
    return keyring


def _key(entry: dict[str, Any]) -> PublicKey:
    public = verify.decode_base64(entry["public_key"], "public_key")
    if len(public) != PUBLIC_BYTES or entry["purpose"] not in PURPOSES:
        raise KeyringError(f"expected {PUBLIC_BYTES} bytes and a purpose of {', '.join(PURPOSES)}")
    ends = [entry[name] if entry[name] is None else _moment(entry[name]) for name in ("to", "revoked_at")]
    reason = entry["reason"] if entry["reason"] is None else _text(entry["reason"])
    return PublicKey(public, entry["purpose"], _moment(entry["from"]), ends[0], ends[1], reason)


def _number(value: Any) -> int:
    if type(value) is not int or value < 1:
        raise KeyringError(f"expected a sequence of 1 or more, got {value!r}")
    return value


def _moment(value: Any) -> str:
    if not isinstance(value, str) or not MOMENT.fullmatch(value):
        raise KeyringError(f"expected a time such as 2026-11-20T09:00:00.000000Z, got {value!r}")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise KeyringError(f"expected text, got {value!r}")
    return value


def _each_once(values: Sequence[Any]) -> bool:
    return len(set(values)) == len(values)
