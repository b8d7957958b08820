"""Trace batches on disk while the control plane is away: encrypted, bounded, oldest dropped first and counted.

One file is one batch, AES-256-GCM under the key in `spool.key` (0600), authenticated with what stays of its name. A
name tells when it was written and how many rows it holds, so that dropping needs no reading. Workers share the folder:
who renames a file first has it. A worker that is killed with a file in hand leaves it claimed; after `FORGOTTEN_S`
anybody may take it again, and the edge knows a row that comes twice by its identity.
"""

import logging
import os
import re
import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from relcontrol.environment import write_once
from releases.gateway.control.private_files import private_folder, remove_partial, write_private
from releases.gateway.control.traces import Batch

KEY_BITS: Final = 256
NONCE_BYTES: Final = 12
WAITING: Final = re.compile(r"(?P<time>\d{20})-(?P<rows>\d+)-[0-9a-f]{16}\.batch")
CLAIMED: Final = re.compile(r"(?P<name>.+\.batch)\.(?P<since>\d+)\.claimed")
FORGOTTEN_S: Final = 120
NANOSECONDS: Final = 1_000_000_000

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Claim:
    """A batch that this worker alone holds, until it is `done` or given `back`."""

    file: Path
    name: str
    batch: Batch


class Spool:
    """The folder `spool` of a gateway's data folder. Raises `OSError` where the disk does not do what it is asked."""

    def __init__(self, data_dir: Path, *, max_bytes: int, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._folder = private_folder(private_folder(data_dir) / "spool")
        self._max_bytes, self._now_ns = max_bytes, now_ns
        self._cipher = AESGCM(_key(data_dir / "spool.key"))
        remove_partial(self._folder)

    def put(self, batch: Batch) -> int:
        """Keep a batch. Returns how many rows were dropped for it: older ones, or its own where it is too large."""
        sealed_bytes = len(batch.body) + NONCE_BYTES + 16
        if sealed_bytes > self._max_bytes:
            return batch.rows
        dropped = self._make_room(sealed_bytes)
        name = self._named(f"{batch.rows}-{secrets.token_hex(8)}.batch")
        nonce = os.urandom(NONCE_BYTES)
        write_private(self._folder / name, nonce + self._cipher.encrypt(nonce, batch.body, _identity(name).encode()))
        return dropped

    def claim(self) -> tuple[Claim | None, int]:
        """The oldest batch that nobody holds, and how many rows were found damaged and dropped on the way to it."""
        self._free_forgotten()
        damaged = 0
        for name in self._waiting(self._names()):
            held = self._folder / f"{name}.{self._now_ns()}.claimed"
            try:
                (self._folder / name).rename(held)
                return Claim(held, name, Batch(_rows(name), self._opened(held.read_bytes(), name))), damaged
            except FileNotFoundError:
                continue  # another worker was quicker
            except InvalidTag:
                logger.error("the spooled batch %s is damaged or of another key, and was dropped", name)  # noqa: TRY400
                held.unlink(missing_ok=True)
                damaged += _rows(name)
        return None, damaged

    def done(self, claim: Claim) -> None:
        """It was delivered."""
        claim.file.unlink(missing_ok=True)

    def back(self, claim: Claim, *, last: bool = False) -> None:
        """It was not: it waits again in its place, or behind all others."""
        _renamed(claim.file, self._folder / (self._named(_identity(claim.name)) if last else claim.name))

    def _named(self, identity: str) -> str:
        return f"{self._now_ns():020d}-{identity}"

    def _make_room(self, needed: int) -> int:
        sizes = {entry.name: _size(entry) for entry in os.scandir(self._folder)}
        excess, dropped = sum(sizes.values()) + needed - self._max_bytes, 0
        for name in self._waiting(sizes):
            if excess <= 0:
                break
            try:
                (self._folder / name).unlink()
            except FileNotFoundError:
                continue  # another worker sends or drops it
            excess -= sizes[name]
            dropped += _rows(name)
        return dropped

    def _free_forgotten(self) -> None:
        before = self._now_ns() - FORGOTTEN_S * NANOSECONDS
        for claimed in map(CLAIMED.fullmatch, self._names()):
            if claimed and int(claimed["since"]) < before:
                _renamed(self._folder / claimed.string, self._folder / claimed["name"])

    def _names(self) -> list[str]:
        return [file.name for file in self._folder.iterdir()]

    def _waiting(self, names: Iterable[str]) -> list[str]:
        """Files that nobody holds, oldest first; what else lies in the folder is not ours."""
        return sorted(name for name in names if WAITING.fullmatch(name))

    def _opened(self, content: bytes, name: str) -> bytes:
        if len(content) < NONCE_BYTES:
            raise InvalidTag
        return self._cipher.decrypt(content[:NONCE_BYTES], content[NONCE_BYTES:], _identity(name).encode())


def _identity(name: str) -> str:
    """The part of a name that stays when the file is moved behind others; its content is bound to it."""
    return name.partition("-")[2]


def _rows(name: str) -> int:
    return int(name.split("-")[1])


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_size
    except FileNotFoundError:
        return 0


def _renamed(source: Path, target: Path) -> None:
    with suppress(FileNotFoundError):  # dropped for room, or another worker was quicker
        source.rename(target)


def _key(file: Path) -> bytes:
    """The folder's own key, made once. One that is no key any more is put aside, since nothing opens with it."""
    if not file.exists():
        write_once(file, AESGCM.generate_key(KEY_BITS))
    key = file.read_bytes()
    if len(key) * 8 == KEY_BITS:
        return key
    logger.error("%s is damaged; it is put aside, and batches spooled under it are lost", file)
    with suppress(FileNotFoundError):  # another worker was quicker
        file.rename(file.with_name(f"{file.name}.damaged"))
    return _key(file)
