"""Chance without chance: whatever a demo model "draws" is read from SHA-256 of the seed and the prompt."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

Drawn = TypeVar("Drawn")


def key_of(*parts: str | int) -> bytes:
    """The digest of parts in their order; each is framed by its length, so that no two lists share one."""
    digest = hashlib.sha256()
    for part in parts:
        encoded = str(part).encode(errors="replace")
        digest.update(b"%d:" % len(encoded) + encoded)
    return digest.digest()


def fraction(key: bytes, purpose: str) -> float:
    """A number in [0, 1), always the same for one key and one purpose."""
    return int.from_bytes(_drawn(key, purpose)[:6], "big") / 2**48


def one_of(options: Sequence[Drawn], key: bytes, purpose: str) -> Drawn:
    """One of the options."""
    return options[int.from_bytes(_drawn(key, purpose)[:6], "big") % len(options)]


def _drawn(key: bytes, purpose: str) -> bytes:
    return hashlib.sha256(key + purpose.encode()).digest()
