"""Signing keys and their public entries (receipts.md "Keys"): Ed25519 only, one purpose each.

A key is used for one purpose: what signs receipts cannot sign exports. `from` and `to` of a public entry are both
inside its period, so the receipt of a rotation, which the old key signs, may carry the very moment of `to`; a
revocation counts from `revoked_at` on. Pure: PEM bytes are given in; where they live (file, environment, KMS) is not
known here.
"""

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

ALGORITHM = "ed25519"
RECEIPTS, EXPORT, LOG, ROUTING = "receipts", "export", "log", "routing"
PURPOSES = (RECEIPTS, EXPORT, LOG, ROUTING)
ROOT = "root"  # signs the keyring, offline: its private half is never on the machine that runs relcontrol


class Signer(Protocol):
    """What signs: a key in memory today, a KMS behind the same three names later."""

    @property
    def purpose(self) -> str: ...
    @property
    def keyid(self) -> str: ...
    def sign(self, message: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key in memory. Its text form never shows the key."""

    purpose: str
    private: Ed25519PrivateKey = field(repr=False)

    @property
    def public(self) -> bytes:
        """The 32 raw bytes."""
        return self.private.public_key().public_bytes_raw()

    @property
    def keyid(self) -> str:
        return keyid_of(self.public)

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key as trust files and exports list it."""

    public: bytes
    purpose: str
    start: str
    end: str | None = None
    revoked_at: str | None = None
    reason: str | None = None

    @property
    def keyid(self) -> str:
        return keyid_of(self.public)

    def as_json(self) -> dict[str, str | None]:
        return {
            "keyid": self.keyid,
            "alg": ALGORITHM,
            "public_key": base64.b64encode(self.public).decode("ascii"),
            "purpose": self.purpose,
            "from": self.start,
            "to": self.end,
            "revoked_at": self.revoked_at,
            "reason": self.reason,
        }


def keyid_of(public: bytes) -> str:
    """SHA-256 of the raw public key, in hex."""
    return hashlib.sha256(public).hexdigest()


def load_signing_key(pem: bytes, *, purpose: str) -> SigningKey:
    """From an unencrypted PKCS #8 PEM. Raises `ValueError` for anything but an Ed25519 key of a known purpose."""
    if purpose not in (*PURPOSES, ROOT):
        raise ValueError(f"{purpose!r} is no purpose of a key; use one of {', '.join(PURPOSES)}")
    try:
        private = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise ValueError(f"the {purpose} key is not an unencrypted PEM private key: {error}") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise ValueError(f"the {purpose} key is no Ed25519 key; other algorithms are not accepted")
    return SigningKey(purpose=purpose, private=private)


def new_private_pem() -> bytes:
    """A fresh private key as PKCS #8 PEM, for the caller to store with mode 0600."""
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
