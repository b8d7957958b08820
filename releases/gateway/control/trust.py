"""Whom a gateway believes: the organization that it serves and the routing keys of its trust file.

A key of another purpose is not even read: what signs receipts can sign no routing (receipts.md "Keys"). A key's period
is judged by this machine's clock, never by what a snapshot says of itself: whoever stole a key can write any date.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit.keys.signing import ALGORITHM, ROUTING, keyid_of
from releases.gateway.control.errors import UnusableTrustError

KEY_BYTES: Final = 32
CLOCK_SKEW: Final = timedelta(minutes=5)  # a new key is taken on a machine whose clock is this much behind


@dataclass(frozen=True, slots=True)
class Served:
    """The one organization of a gateway; `origin` tells two of the same name apart."""

    organization: str
    origin: str


@dataclass(frozen=True, slots=True)
class RoutingKey:
    """A public key that may sign routing snapshots, in its period."""

    keyid: str
    public: Ed25519PublicKey
    start: datetime
    end: datetime | None
    revoked_at: datetime | None

    def objection(self, now: datetime) -> str:
        """Why the key signs nothing now; empty where it does."""
        if self.revoked_at is not None and self.revoked_at <= now:
            return f"the key was revoked at {self.revoked_at.isoformat()}"
        if self.end is not None and self.end < now:
            return f"the key's period ended at {self.end.isoformat()}"
        if self.start > now + CLOCK_SKEW:
            return f"the key's period begins at {self.start.isoformat()}; is this machine's clock right?"
        return ""


@dataclass(frozen=True, slots=True)
class Trust:
    """What is known from outside of any snapshot."""

    served: Served
    keys: tuple[RoutingKey, ...]


def trust_of(document: Mapping[str, Any]) -> Trust:
    """The trust file as it was parsed. Raises `UnusableTrustError` where nothing could be verified with it."""
    served = Served(_text(document, "organization"), _text(document, "origin"))
    entries = document.get("keys")
    if not isinstance(entries, list):
        raise UnusableTrustError("The trust file has no list of keys. Fetch it anew from GET /v1/trust.")
    keys = tuple(_key(entry) for entry in entries if isinstance(entry, Mapping) and entry.get("purpose") == ROUTING)
    if not keys:
        raise UnusableTrustError(
            f"The trust file names no key of the purpose {ROUTING!r}, so no snapshot could be verified. Fetch it anew "
            "from GET /v1/trust of the control plane that this gateway belongs to."
        )
    return Trust(served, keys)


def _key(entry: Mapping[str, Any]) -> RoutingKey:
    name = _text(entry, "keyid")
    if entry.get("alg") != ALGORITHM:
        raise UnusableTrustError(f"The routing key {name} is of {entry.get('alg')!r}; only {ALGORITHM} is accepted.")
    try:
        public = base64.b64decode(_text(entry, "public_key"), validate=True)
    except binascii.Error as error:
        raise UnusableTrustError(f"The public_key of the routing key {name} is not base64: {error}.") from error
    if len(public) != KEY_BYTES or keyid_of(public) != name:
        raise UnusableTrustError(f"The public_key of the routing key {name} is another key: its id is not that name.")
    start = _moment(entry, "from")
    if start is None:
        raise UnusableTrustError(f"The routing key {name} does not say from when it holds (from).")
    return RoutingKey(
        name, Ed25519PublicKey.from_public_bytes(public), start, _moment(entry, "to"), _moment(entry, "revoked_at")
    )


def _text(entry: Mapping[str, Any], name: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str) or not value:
        raise UnusableTrustError(f"The trust file lacks {name}. Fetch it anew from GET /v1/trust.")
    return value


def _moment(entry: Mapping[str, Any], name: str) -> datetime | None:
    value = entry.get(name)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise UnusableTrustError(f"{name} of a routing key is no time of RFC 3339: {value!r}.") from error
    if moment.tzinfo is None:
        raise UnusableTrustError(f"{name} of a routing key has no time zone: {value!r}.")
    return moment
