"""The arithmetic of the chains: hashes, links, commitments and times as text (receipts.md "Receipt v1", "Append").

Each organization has one chain; each release, named by its manifest SHA-256, has one inside it. The first receipt of
the organization points to a genesis made of its origin; the first of a release points to nothing (`release_prev` is
null), because the manifest that begins it is named in the same signed bytes. Pure: heads and time are given in.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from audit.log.merkle import leaf_hash
from relcontrol.bundle.canonical import canonical_bytes

GENESIS_PREFIX = b"relcontrol/genesis/v1\0"
COMMITMENT_PREFIX = b"relcontrol/commit/v1\0"
MIN_SALT_BYTES = 16
MAX_SALT_BYTES = 64
MAX_VALUE_DEPTH = 16  # an opening stands inside an export, whose whole depth is 32


@dataclass(frozen=True, slots=True)
class Head:
    """The newest receipt of an organization's chain."""

    seq: int
    receipt_hash: str
    issued_at: str


@dataclass(frozen=True, slots=True)
class ReleaseHead:
    """The newest receipt about one manifest."""

    release_seq: int
    receipt_hash: str


@dataclass(frozen=True, slots=True)
class Link:
    """The place of a receipt: `predicate.chain` without the customer. `last_anchor` is a receipt hash or null."""

    seq: int
    prev: str
    release_seq: int | None
    release_prev: str | None
    last_anchor: str | None = None


def genesis_prev(origin: str) -> str:
    """What the first receipt of this origin's chain points to."""
    return hashlib.sha256(GENESIS_PREFIX + origin.encode("utf-8")).hexdigest()


def receipt_hash(payload: bytes) -> str:
    """What people quote, and what the next receipt points to."""
    return hashlib.sha256(payload).hexdigest()


def leaf_of(receipt_hash: str) -> bytes:
    """The receipt as a leaf of the organization's log, 32 raw bytes (RFC 6962, section 2.1)."""
    return leaf_hash(bytes.fromhex(receipt_hash))


def commitment(field: str, salt: str, value: Any) -> str:
    """A digest that binds to a value without showing it. `salt`: 16 to 64 random bytes in lower-case hex."""
    size = len(bytes.fromhex(salt))
    if not MIN_SALT_BYTES <= size <= MAX_SALT_BYTES or salt != bytes.fromhex(salt).hex():
        raise ValueError(f"a salt is {MIN_SALT_BYTES} to {MAX_SALT_BYTES} bytes in lower-case hex, not {size} bytes")
    if _depth(value) > MAX_VALUE_DEPTH:
        raise ValueError(f"{field}: a disclosed value nests at most {MAX_VALUE_DEPTH} levels; flatten it")
    return hashlib.sha256(COMMITMENT_PREFIX + canonical_bytes([field, salt, value])).hexdigest()


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list | tuple):
        return 1 + max(map(_depth, value), default=0)
    return 0


def next_link(
    *,
    origin: str,
    head: Head | None,
    release_head: ReleaseHead | None = None,
    has_release: bool,
    last_anchor: str | None = None,
) -> Link:
    """The place after these heads; `None` where a chain has not begun."""
    release_seq = None
    if has_release:
        release_seq = release_head.release_seq + 1 if release_head else 1
    return Link(
        seq=head.seq + 1 if head else 1,
        prev=head.receipt_hash if head else genesis_prev(origin),
        release_seq=release_seq,
        release_prev=release_head.receipt_hash if has_release and release_head else None,
        last_anchor=last_anchor,
    )


def timestamp(moment: datetime) -> str:
    """UTC with microseconds in 27 characters, so that text sorts as time does."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone cannot be receipted; pass an aware datetime")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
